"""``python -m gateway_server`` is ``gateway-server``."""

from gateway_server.cli import main

if __name__ == "__main__":
    main()
