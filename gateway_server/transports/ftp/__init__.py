"""The FTP drop: receives uploads, safe before they are acknowledged."""
