-- What runs a dissector exported from a meter profile; the profile itself stands further down, in PROFILE.
-- Frames are cut and taken apart as the gateway does it, over plain Lua strings; only the tree is Wireshark's.

local MORE, MOST_SHOWN = -1, 80

local function fail(text) error({said = text}, 0) end

-- expressions

local function truth(x) return x ~= nil and x ~= false and x ~= 0 and x ~= "" end
local function name(v, n)
    local x = v[n]
    if x == nil then fail("there is no " .. n .. " here") end
    return x
end
local function otherwise(get, other)
    local ok, x = pcall(get)
    if ok and x ~= nil then return x end
    return other()
end
local function text(x)
    if type(x) == "table" then
        if x.bytes then return (x.bytes:gsub(".", function(c) return string.format("%02X", c:byte()) end)) end
        return x.shown or ""
    end
    if type(x) == "number" then return string.format("%.17g", x) end
    return tostring(x)
end
local function same(a, b)
    if type(a) == "table" and a.bytes then a = a.bytes end
    if type(b) == "table" and b.bytes then b = b.bytes end
    return a == b
end
local function add(a, b)
    if type(a) == "string" and type(b) == "string" then return a .. b end
    return a + b
end
local function bits(a, b, work)
    local high = work(math.floor(a / 4294967296), math.floor(b / 4294967296))
    local low = work(a % 4294967296, b % 4294967296)
    if high < 0 then high = high + 4294967296 end
    if low < 0 then low = low + 4294967296 end
    return high * 4294967296 + low
end
local function band(a, b) return bits(a, b, bit.band) end
local function bor(a, b) return bits(a, b, bit.bor) end
local function bxor(a, b) return bits(a, b, bit.bxor) end
local function count_of(x)
    if type(x) == "table" then return x.bytes and #x.bytes or #x end
    return #x
end
local function number(x)
    if type(x) == "number" then return x end
    local n = tonumber(text(x))
    if n == nil then fail("no number") end
    return n
end

-- numbers

local function in_order(s, order)
    if order == "big" then return s end
    if order == "little" then return s:reverse() end
    local words = {}
    for at = 1, #s, 2 do
        local word = s:sub(at, at + 1)
        if order == "word_swapped" then table.insert(words, 1, word) else table.insert(words, word:reverse()) end
    end
    return table.concat(words)
end

local function unsigned(s)
    local n = 0
    for at = 1, #s do n = n * 256 + s:byte(at) end
    return n
end

-- The decimal digits of a number of any size: Lua's own numbers are exact up to 2^53 only.
local function digits_of(s)
    local digits = {0}
    for at = 1, #s do
        local carry = s:byte(at)
        for i = 1, #digits do
            local n = digits[i] * 256 + carry
            digits[i], carry = n % 10, math.floor(n / 10)
        end
        while carry > 0 do
            digits[#digits + 1], carry = carry % 10, math.floor(carry / 10)
        end
    end
    return (table.concat(digits):reverse())
end

local function integer(s, t)
    s = in_order(s, t.order)
    if t.signed and s:byte(1) >= 128 then
        local n = unsigned(s) - 256 ^ #s
        local turned = s:gsub(".", function(c) return string.char(255 - c:byte()) end)
        local digits = digits_of(turned)
        if #s <= 6 then digits = string.format("%.0f", -n) else digits = string.format("%.0f", -n) end
        return n, "-" .. digits
    end
    return unsigned(s), digits_of(s)
end

local function bcd(s, t)
    s = in_order(s, t.order)
    local digits = s:gsub(".", function(c)
        local b = c:byte()
        if t.swapped then b = (b % 16) * 16 + math.floor(b / 16) end
        return string.format("%02x", b)
    end)
    local sign = ""
    if t.sign == "high_bit" and s:byte(1) >= 128 then
        sign, digits = "-", string.format("%x", tonumber(digits:sub(1, 1), 16) % 8) .. digits:sub(2)
    elseif t.sign == "nibble_f" and digits:sub(1, 1) == "f" then
        sign, digits = "-", "0" .. digits:sub(2)
    end
    if not digits:match("^%d+$") then fail("no BCD number") end
    digits = digits:gsub("^0+(%d)", "%1")
    return tonumber(sign .. digits), sign .. digits
end

local function binary_float(s)
    local high, low = s:byte(1), s:byte(2)
    local exponent, mantissa, width, bias
    if #s == 4 then
        exponent = (high % 128) * 2 + math.floor(low / 128)
        mantissa, width, bias = unsigned(string.char(low % 128) .. s:sub(3)), 23, 127
    else
        exponent = (high % 128) * 16 + math.floor(low / 16)
        mantissa, width, bias = unsigned(string.char(low % 16) .. s:sub(3)), 52, 1023
    end
    if exponent == 2 * bias + 1 then return nil end
    local n
    if exponent == 0 then n = mantissa * 2 ^ (1 - bias - width)
    else n = (1 + mantissa / 2 ^ width) * 2 ^ (exponent - bias) end
    return high >= 128 and -n or n
end

local function plain_float(n, digits)
    if n == 0 then return "0" end
    local said = string.format("%." .. (digits - 1) .. "e", n)
    local sign, whole, part, exponent = said:match("^(-?)(%d)%.?(%d*)e([-+]%d+)$")
    local all = (whole .. part):gsub("0+$", "")
    exponent = tonumber(exponent)
    if all == "" then return "0" end
    if exponent < 0 then return sign .. "0." .. string.rep("0", -exponent - 1) .. all end
    if #all <= exponent + 1 then return sign .. all .. string.rep("0", exponent + 1 - #all) end
    return sign .. all:sub(1, exponent + 1) .. "." .. all:sub(exponent + 2)
end

local function written(s, t)
    local said = s:gsub("^ +", ""):gsub(" +$", "")
    if said == "" then return nil, "" end
    if t.base == 16 then
        if not said:match("^%x+$") then fail("no number") end
        return tonumber(said, 16), string.format("%.0f", tonumber(said, 16))
    end
    local sign, before, mark, behind = said:match("^([+-]?) *(%d+)([.,]?)(%d*)$")
    if before == nil or (mark ~= "" and mark ~= t.mark) then fail("no number") end
    before = before:gsub("^0+(%d)", "%1")
    local shown = (sign == "-" and "-" or "") .. before .. (mark ~= "" and "." .. behind or "")
    return tonumber(shown), shown
end

local function moved(digits, places)
    if places == 0 then return digits end
    local sign, rest = digits:match("^(-?)(%d+)$")
    if places < 0 then return sign .. (rest == "0" and rest or rest .. string.rep("0", -places)) end
    rest = string.rep("0", places + 1 - #rest) .. rest
    return sign .. rest:sub(1, #rest - places) .. "." .. rest:sub(#rest - places + 1)
end

-- times

local function days_in(year, month)
    if month == 2 then
        return (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 29 or 28
    end
    return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

local function shown_time(p)
    local day, clock
    if p.month then
        if p.month == 0 and p.day == 0 then return nil end
        if p.year < 1 or p.month < 1 or p.month > 12 or p.day < 1 or p.day > days_in(p.year, p.month) then
            if not ((p.month or 0) ~= 0 or (p.day or 0) ~= 0) then return nil end
            fail("no time")
        end
        day = string.format("%04d-%02d-%02d", p.year, p.month, p.day)
    end
    if p.hour then
        if p.hour > 23 or (p.minute or 0) > 59 or (p.second or 0) > 59 then fail("no time") end
        clock = string.format("%02d:%02d:%02d", p.hour, p.minute or 0, p.second or 0)
        if (p.millisecond or 0) ~= 0 then clock = clock .. string.format(".%03d000", p.millisecond) end
    end
    if day and clock then return day .. " " .. clock end
    return day or clock
end

local function counted(s, t)
    local ms = unsigned(in_order(s, t.order)) * t.unit_ms
    if ms > 300000000000000 then fail("no time") end
    ms = ms + t.since_ms
    local days = math.floor(ms / 86400000)
    local rest = ms - days * 86400000
    -- Civil from days, counted from 0000-03-01.
    local z = days + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local day = doy - math.floor((153 * mp + 2) / 5) + 1
    local month = mp < 10 and mp + 3 or mp - 9
    local year = yoe + era * 400 + (month <= 2 and 1 or 0)
    return shown_time({
        year = year, month = month, day = day, hour = math.floor(rest / 3600000),
        minute = math.floor(rest / 60000) % 60, second = math.floor(rest / 1000) % 60, millisecond = rest % 1000,
    })
end

local function patterned(s, t)
    local at, p = 1, {}
    for _, part in ipairs(t.parts) do
        local raw = s:sub(at, at + part.size - 1)
        if #raw < part.size then fail("no time") end
        at = at + part.size
        if part.literal then
            if raw ~= part.literal then fail("no time") end
        elseif t.digits == "text" and not raw:match("^%d+$") then
            if s:match("^[ 0]*$") then return nil end
            fail("no time")
        elseif part.name then
            local n
            if t.digits == "text" then n = tonumber(raw)
            elseif t.digits == "bcd" then n = tonumber((bcd(raw, {order = "big"})))
            else n = unsigned(in_order(raw, t.order == "little" and "little" or "big")) end
            p[part.name] = n + (part.add or 0)
        end
    end
    return shown_time(p)
end

local function packed(s, t)
    local n, p = unsigned(in_order(s, t.order)), {}
    for _, part in ipairs(t.parts) do
        local value, shift = 0, 0
        for _, span in ipairs(part.spans) do
            value = value + (math.floor(n / 2 ^ span[1]) % 2 ^ span[2]) * 2 ^ shift
            shift = shift + span[2]
        end
        p[part.name] = value + (part.name == "year" and t.year or 0)
    end
    if p.millisecond and not p.second then
        p.second, p.millisecond = math.floor(p.millisecond / 1000), p.millisecond % 1000
    end
    return shown_time(p)
end

-- fields

local function spaced(s)
    return (s:gsub(".", function(c) return string.format("%02X ", c:byte()) end):gsub(" $", ""))
end

local function decoded(s, t)
    if t.pad then
        while s ~= "" and t.pad:find(t.left and s:sub(1, 1) or s:sub(-1), 1, true) do
            s = t.left and s:sub(2) or s:sub(1, -2)
        end
    end
    if t.map then return (s:gsub("[\128-\255]", t.map)) end
    if t.encoding == "ascii" and s:find("[\128-\255]") then fail("no text") end
    return s
end

-- The value that expressions see, and how it is shown.
local function taken(s, field)
    local t = field.type
    local k = t.is
    if k == "integer" or k == "bits" or k == "flags" then return integer(s, t) end
    if k == "bcd" then return bcd(s, t) end
    if k == "number" then return written(s, t) end
    if k == "text" then
        local said = decoded(s, t)
        return said, said
    end
    if k == "bytes" then return {bytes = s}, spaced(s) end
    if k == "float" then
        local n = binary_float(in_order(s, t.order))
        if n == nil then return nil, "" end
        if t.places then return n, string.format("%." .. t.places .. "f", n) end
        return n, plain_float(n, t.precision)
    end
    local shown
    if k == "counted" then shown = counted(s, t)
    elseif k == "pattern" then shown = patterned(s, t)
    else shown = packed(s, t) end
    return {shown = shown}, shown or ""
end

local function among(value, allowed)
    for _, one in ipairs(allowed) do
        if same(value, one) then return true end
    end
    return false
end

local read_parts

local function read_field(field, s, at, stop, v, trace, path)
    local t = field.type
    local last, following
    if t.size then
        last, following = at + t.size - 1, at + t.size
    elseif field.until_ then
        local found, found_end = s:find(field.until_, at, true)
        if found and found_end < stop then
            last, following = found - 1, found_end + 1
        elseif field.or_end then
            last, following = stop - 1, stop
        else
            fail(field.name .. " does not end")
        end
    elseif field.size then
        v.left = stop - at
        local size = field.size(v)
        if type(size) ~= "number" or size < 0 or size > stop - at then fail(field.name .. " has no such size") end
        last, following = at + size - 1, at + size
    else
        last, following = stop - 1, stop
    end
    if following > stop then fail("the frame ends within " .. field.name) end
    local raw = s:sub(at, last)
    local value, shown = nil, ""
    if not (field.absent and (among(raw, field.absent) or among(raw:match("^%s*(.-)%s*$"), field.absent))) then
        value, shown = taken(raw, field)
    end
    if field.must and not among(value, field.must) then fail(field.name .. " is another") end
    v[field.name] = value
    if t.is == "bits" then
        for _, part in ipairs(t.parts) do
            local n = math.floor(value / 2 ^ part.low) % 2 ^ part.width
            v[part.name] = n
            v[part.name .. ".word"] = part.words and part.words[n] or tostring(n)
        end
    end
    if field.words then v[field.name .. ".word"] = field.words[value] or (value == nil and "" or tostring(value)) end
    if field.missing and among(value, field.missing) then
        v[field.name], shown = nil, ""
    elseif field.scale and value ~= nil then
        local factor = field.scale(v)
        v[field.name] = value * factor
        if field.moved then shown = moved(shown, field.moved) else shown = string.format("%.15g", value * factor) end
    end
    if field.equals and not same(v[field.name], field.equals(v)) then fail(field.name .. " is another") end
    trace[#trace + 1] = {
        path = path .. field.name, field = field, from = at, to = following, shown = shown, value = value,
    }
    return following
end

local function read_group(group, s, at, stop, v, trace, path)
    local inner_stop = stop
    if group.size then
        v.left = stop - at
        inner_stop = at + group.size(v)
        if inner_stop > stop or inner_stop < at then fail(group.name .. " has no such size") end
    end
    if group.mask then
        local unmasked = s:sub(at, inner_stop - 1):gsub(".", function(c)
            return string.char((bxor(c:byte(), group.mask.xor) - group.mask.add) % 256)
        end)
        s = s:sub(1, at - 1) .. unmasked .. s:sub(inner_stop)
    end
    local reached = at
    if group.repeated then
        local times = group.count and group.count(v) or 10001
        local elements = {}
        while #elements < times and (group.count or reached < inner_stop) do
            if group.until_ and s:sub(reached, reached + #group.until_ - 1) == group.until_ then break end
            for _, gone in ipairs(group.vanishing) do v[gone] = nil end
            local before = reached
            reached = read_parts(group.parts, s, reached, inner_stop, v, trace,
                                 path .. group.name .. "[" .. #elements .. "].")
            if reached == before then fail("an element of " .. group.name .. " has no bytes") end
            elements[#elements + 1] = true
        end
        if #elements > 10000 then fail(group.name .. " has too many elements") end
        v[group.name] = elements
    else
        reached = read_parts(group.parts, s, reached, inner_stop, v, trace, path .. group.name .. ".")
    end
    if group.size and reached ~= inner_stop then fail(group.name .. " has more bytes than its parts") end
    return reached
end

function read_parts(parts, s, at, stop, v, trace, path)
    for _, part in ipairs(parts) do
        v.left = stop - at
        if part.cond == nil or truth(part.cond(v)) then
            if part.kind == "field" then
                at = read_field(part, s, at, stop, v, trace, path)
            elseif part.kind == "group" then
                at = read_group(part, s, at, stop, v, trace, path)
            else
                local inner_stop = stop
                if part.size then inner_stop = at + part.size(v) end
                if inner_stop > stop then fail("a choice has no such size") end
                local on, chosen = part.on(v), part.otherwise
                for _, case in ipairs(part.cases) do
                    if among(on, case.values) then chosen = case.parts break end
                end
                if chosen == nil then fail("there is no such case") end
                at = read_parts(chosen, s, at, inner_stop, v, trace, path)
                if part.size and at ~= inner_stop then fail("a choice has more bytes than its parts") end
            end
        end
    end
    return at
end

-- checks

local function crc(rule, s)
    local w, value = rule.width, rule.init
    local top, mask = 2 ^ (w - 1), 2 ^ w
    for at = 1, #s do
        local byte = s:byte(at)
        for i = 0, 7 do
            local b = math.floor(byte / 2 ^ (rule.refin and i or 7 - i)) % 2
            local high = value >= top and 1 or 0
            value = (value * 2) % mask
            if high ~= b then value = bxor(value, rule.poly) end
        end
    end
    if rule.refout then
        local turned = 0
        for i = 0, w - 1 do
            if math.floor(value / 2 ^ i) % 2 == 1 then turned = turned + 2 ^ (w - 1 - i) end
        end
        value = turned
    end
    return bxor(value, rule.xorout)
end

local function check_of(rule, s)
    if rule.poly then return crc(rule, s) end
    local mask, n = 2 ^ rule.width, 0
    if rule.fold == "sum" or rule.fold == "negated_sum" or rule.fold == "inverted_sum" then
        for at = 1, #s do n = (n + s:byte(at)) % mask end
        if rule.fold == "negated_sum" then return (mask - n) % mask end
        if rule.fold == "inverted_sum" then return mask - 1 - n end
        return n
    end
    local step = rule.width / 8
    if rule.fold == "xor" or rule.fold == "inverted_xor" then
        for at = 1, #s, step do
            local word = s:sub(at, at + step - 1)
            n = bxor(n, unsigned(word .. string.rep("\0", step - #word)))
        end
        return rule.fold == "xor" and n or mask - 1 - n
    end
    local modulo, size, low, high = 255, 1, 0, 0
    if rule.width == 32 then modulo, size = 65535, 2 end
    if rule.fold == "fletcher_mod256" then modulo = 256 end
    for at = 1, #s, size do
        local word = s:sub(at, at + size - 1)
        low = (low + unsigned((word .. string.rep("\0", size - #word)):reverse())) % modulo
        high = (high + low) % modulo
    end
    return high * 2 ^ (rule.width / 2) + low
end

local function written_check(check, covered)
    local n = check_of(check.rule, covered)
    if check.mask then n = band(n, check.mask) end
    local octets = math.ceil(check.rule.width / 8)
    local s = ""
    for _ = 1, octets do
        s, n = string.char(n % 256) .. s, math.floor(n / 256)
    end
    if check.little then s = s:reverse() end
    if check.written == "binary" then return s end
    return (s:gsub(".", function(c) return string.format("%02X", c:byte()) end))
end

-- frames

local function plain_of(framing, coded)
    local places = {}
    if framing.hex then
        if not coded:match("^%x*$") or #coded % 2 == 1 then fail("no hex digits") end
        for at = 0, #coded, 2 do places[#places + 1] = at end
        return (coded:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end)), places
    end
    local escape = framing.escape
    local out, at = {}, 1
    while at <= #coded do
        places[#places + 1] = at - 1
        local byte = coded:byte(at)
        if escape and byte == escape.byte then
            local sent = coded:byte(at + 1)
            if sent == nil then fail("an escape means nothing") end
            local meant = escape.table[sent]
            if meant == nil and escape.xor > 0 then meant = bxor(sent, escape.xor) end
            if meant == nil then fail("an escape means nothing") end
            out[#out + 1] = string.char(meant)
            at = at + 2
        else
            out[#out + 1] = string.char(byte)
            at = at + 1
        end
    end
    places[#places + 1] = #coded
    return table.concat(out), places
end

-- How many wire bytes from a place on say so many plain ones; nil if more must come.
local function wire_size(framing, s, from, count)
    if framing.hex then count = 2 * count end
    if not framing.escape then return from + count - 1 <= #s and count or nil end
    local at = from
    for _ = 1, count do
        at = at + (s:byte(at) == framing.escape.byte and 2 or 1)
        if at - 1 > #s then return nil end
    end
    return at - from
end

local function size_at(framing, s, at)
    local here = #s - at + 1
    local opening = s:sub(at, at + #framing.start - 1)
    if opening ~= framing.start then
        if #opening < #framing.start and framing.start:sub(1, #opening) == opening then return MORE end
        if not framing.shared_end then return nil end
    end
    if framing.size_of then
        local inner = at + #framing.start
        local ready = wire_size(framing, s, inner, framing.header_size)
        if ready == nil then return MORE end
        local decoded, header = pcall(plain_of, framing, s:sub(inner, inner + ready - 1))
        if not decoded then return nil end
        local v = {}
        local ok = pcall(read_parts, framing.header, header, 1, #header + 1, v, {}, "")
        if not ok then return nil end
        local good, size = pcall(framing.size_of, v)
        if not good or type(size) ~= "number" or size < framing.least or size > framing.most then return nil end
        if (framing.escape or framing.hex) and not framing.counts_wire then
            local coded = wire_size(framing, s, inner, size - #framing.start - framing.behind)
            if coded == nil then return here < framing.most and MORE or nil end
            size = #framing.start + coded + framing.behind
        end
        if here < size then return MORE end
        if framing.end_ ~= "" then
            local from = at + size - framing.behind
            if s:sub(from, from + #framing.end_ - 1) ~= framing.end_ then return nil end
        end
        return size
    end
    if framing.end_ ~= "" then
        local from = at + #framing.start
        while true do
            local found = s:find(framing.end_, from, true)
            if found == nil then return here <= framing.most and MORE or nil end
            local run, back = 0, found - 1
            while framing.escape and framing.escape.byte == framing.end_:byte(1) and back >= at
                and s:byte(back) == framing.escape.byte do
                run, back = run + 1, back - 1
            end
            if run % 2 == 0 then
                local inside = s:sub(at + #framing.start, found - 1)
                if framing.illegal and inside:find(framing.illegal) then return nil end
                local size = found - at + framing.behind
                if size > framing.most or size < framing.least then return nil end
                if (framing.escape or framing.hex) and size <= framing.least then return nil end
                return size <= here and size or MORE
            end
            from = found + 1
        end
    end
    return here  -- only silence ends it: a segment is taken for a frame
end

local function fault_of(framing, wire, plain)
    for _, check in ipairs(framing.checks) do
        if not check.unknown then
            local covered
            if check.after_end then
                covered = (check.covers == "body" and plain:sub(framing.header_size + 1) or plain) .. framing.end_
            else
                covered = plain:sub(1, #plain - framing.tail)
                if check.covers == "body" then covered = covered:sub(framing.header_size + 1) end
            end
            if check.covers == "start" then covered = framing.start .. covered end
            covered = covered:sub(1 + check.skip, #covered - check.trim)
            local wanted = written_check(check, covered)
            local found = check.after_end and wire:sub(-#wanted) or plain:sub(-#wanted)
            if check.written ~= "binary" then found = found:upper() end
            if found ~= wanted then return "should be " .. spaced(wanted) end
        end
    end
    return nil
end

local function message_in(kind, contents, from_meter)
    local best, best_reached, found
    for _, message in ipairs(PROFILE.messages) do
        if message.framing == kind and message.from[from_meter] then
            local meant = true
            if #message.when > 0 then
                local v = {}
                local header = PROFILE.by_name[kind].header
                meant = pcall(read_parts, header, contents, 1, #contents + 1, v, {}, "")
                for _, one in ipairs(message.when) do
                    meant = meant and among(v[one[1]], one[2])
                end
            end
            if meant then
                local v, trace = {}, {}
                local header = PROFILE.by_name[kind].header
                local ok, reached = pcall(function()
                    local at = read_parts(header, contents, 1, #contents + 1, v, trace, "")
                    return read_parts(message.parts, contents, at, #contents + 1, v, trace, "")
                end)
                if ok and reached == #contents + 1 then
                    if found then return nil, trace end
                    found, best = message, trace
                elseif not found then
                    local last = #trace > 0 and trace[#trace].to or 0
                    if best == nil or last > best_reached then best, best_reached = trace, last end
                end
            end
        end
    end
    return found, best or {}
end

-- the tree

local proto = Proto(PROFILE.abbreviation, PROFILE.title)
local known = {}
for _, one in ipairs(PROFILE.fields) do
    known[one[1]] = ProtoField.string(PROFILE.abbreviation .. "." .. one[1], one[2])
end
known.message = ProtoField.string(PROFILE.abbreviation .. ".message", "Message")
known.fault = ProtoField.string(PROFILE.abbreviation .. ".fault", "Fault")
known.noise = ProtoField.bytes(PROFILE.abbreviation .. ".noise", "Noise")
proto.fields = known

local function short(s) return #s > MOST_SHOWN and s:sub(1, MOST_SHOWN) .. "..." or s end

local function dissect_frame(tree, range, framing, wire, from_meter)
    local branch = tree:add(proto, range, PROFILE.title .. ", " .. framing.name)
    local opening = wire:sub(1, #framing.start) == framing.start and #framing.start or 0
    local behind = #wire - framing.behind
    local function put(abbreviation, label, from, to, value)
        if to > from then
            branch:add(known[abbreviation], range:range(from, to - from), value):set_text(label .. ": " .. value)
        end
    end
    put("start", "start", 0, opening, spaced(wire:sub(1, opening)))
    local ok, plain, places = pcall(plain_of, framing, wire:sub(opening + 1, behind))
    if not ok then
        branch:add(known.fault, range, type(plain) == "table" and plain.said or tostring(plain))
        return framing.name
    end
    local contents = plain:sub(1, #plain - framing.tail)
    local message, trace = message_in(framing.name, contents, from_meter)
    local function place(at) return opening + places[math.min(at, #places)] end
    for _, one in ipairs(trace) do
        if one.to > one.from then
            local template = one.path:gsub("%[%d+%]", "")
            put(template, one.path, place(one.from), place(one.to), one.field.secret and "" or short(one.shown))
        end
    end
    local at = #contents + 1
    for _, check in ipairs(framing.checks) do
        if not check.after_end then
            put("separator", "separator", place(at), place(at + #check.separator), "")
            at = at + #check.separator
            put("check", "check " .. check.name, place(at), place(at + check.size),
                spaced(plain:sub(at, at + check.size - 1)))
            at = at + check.size
        end
    end
    put("end", "end", behind, behind + #framing.end_, spaced(framing.end_))
    at = behind + #framing.end_
    for _, check in ipairs(framing.checks) do
        if check.after_end then
            put("check", "check " .. check.name, at, at + check.size, spaced(wire:sub(at + 1, at + check.size)))
            at = at + check.size
        end
    end
    local fault = fault_of(framing, wire, plain)
    if fault then branch:add(known.fault, range, fault) end
    if message then
        branch:add(known.message, range, message.name):set_generated()
        branch:append_text(": " .. message.name)
        return message.name
    end
    return framing.name
end

local function speaks(framing, from_meter) return framing.from[from_meter] end

function proto.dissector(tvb, pinfo, tree)
    local from_meter = pinfo.src_port ~= PROFILE.gateway_port
    local s = tvb:raw(0, tvb:len())
    if PROFILE.strip_parity then
        s = s:gsub("[\128-\255]", function(c) return string.char(c:byte() - 128) end)
    end
    local at, noise, said = 1, 1, {}
    local function tell_noise(stop)
        if stop > noise then tree:add(known.noise, tvb:range(noise - 1, stop - noise)) end
    end
    while at <= #s do
        local size, chosen
        for _, framing in ipairs(PROFILE.framings) do
            if speaks(framing, from_meter) then
                local found = size_at(framing, s, at)
                if found and found ~= MORE and framing.start == "" then
                    local wire = s:sub(at, at + found - 1)
                    local ok, plain = pcall(plain_of, framing, wire:sub(1, #wire - framing.behind))
                    if not ok or fault_of(framing, wire, plain) then found = nil end
                end
                if found then size, chosen = found, framing break end
            end
        end
        if size == MORE then
            tell_noise(at)
            pinfo.desegment_offset = at - 1
            pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
            break
        elseif size then
            tell_noise(at)
            said[#said + 1] = dissect_frame(tree, tvb:range(at - 1, size), chosen, s:sub(at, at + size - 1), from_meter)
            at = at + size
            noise = at
        else
            at = at + 1
        end
    end
    if at > #s then tell_noise(#s + 1) end
    pinfo.cols.protocol = PROFILE.title
    if #said > 0 then pinfo.cols.info = table.concat(said, ", ") end
    return tvb:len()
end

DissectorTable.get("tcp.port"):add(PROFILE.gateway_port, proto)
