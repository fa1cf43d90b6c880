"""The table: for every rule of the README what lies at its bounds and beside them."""

import json

import values

JSON = [["content-type", "application/json"]]

ADDRESS = {"street": "Main St 1", "city": "Bonn", "zip": "53111", "country": "FR"}
USER = {
    "name": "Ann",
    "email": "ann@example.com",
    "age": 30,
    "active": False,
    "website": "https://example.com/a",
    "address": ADDRESS,
    "tags": ["a", "b"],
}
ITEM = {"name": "Pen", "price": 2.5, "quantity": 3, "kind": "toy", "rating": 4.5, "step": 10}
PATCH = {"name": "Pen", "price": 1.25, "ref": 7}
LINE = {"sku": "ABC-1234", "count": 2, "note": "soon"}
ORDER = {"customer": USER, "lines": [LINE], "status": "paid", "ref": "R-1"}
STRICT = {"id": 7, "label": "seven"}

# Route of a body: its name in ids, method, target, a valid body.
BODIES = {
    "users": ("POST", "/users", USER),
    "items": ("POST", "/items", ITEM),
    "put": ("PUT", "/items/7", ITEM),
    "patch": ("PATCH", "/items/7", PATCH),
    "orders": ("POST", "/orders", ORDER),
    "strict": ("POST", "/strict", STRICT),
}


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def put(value, path, raw):
    """The JSON text of `value` with `raw` at the path, or without what is there if it is None."""
    value = json.loads(json.dumps(value))
    *parents, last = path
    at = value
    for key in parents:
        at = at[key]
    if raw is None:
        del at[last]
    else:
        at[last] = "@@"
    return text(value).replace('"@@"', raw or "", 1)


class Table:
    """Collects requests: (id, method, target, headers, body)."""

    def __init__(self):
        self.requests = []

    def add(self, name, method, target, headers=(), body=b""):
        body = body.encode() if isinstance(body, str) else body
        self.requests.append((name, method, target, list(headers), body))

    def get(self, name, target, headers=()):
        self.add(name, "GET", target, headers)

    def body(self, route, name, body, headers=JSON):
        method, target, _ = BODIES[route]
        self.add(f"{route}/{name}", method, target, headers, body)

    def field(self, route, path, raws):
        """Every one of the named JSON texts in that field of a valid body."""
        valid = BODIES[route][2]
        field = ".".join(map(str, path))
        for name, raw in raws.items():
            self.body(route, f"{field}/{name}", put(valid, path, raw))


def strings(*texts):
    """JSON strings, named by their length."""
    return {f"length_{len(string)}": text(string) for string in texts}


def quoted(table):
    return {name: text(string) for name, string in table.items()}


def literals(*raws):
    return {raw: raw for raw in raws}


def plain_routes(t):
    t.get("hello", "/")
    t.get("hello/query", "/?a=b")
    t.get("health", "/health")
    t.get("tuple", "/tuple")
    for path in ("/", "/health", "/tuple", "/users/7", "/items/7", "/files/a", "/stream"):
        t.add(f"head{path}", "HEAD", path)
    t.add("head/search/valid", "HEAD", "/search?tag=a")
    t.add("head/search/invalid", "HEAD", "/search")
    t.add("head/absent", "HEAD", "/absent")
    t.add("head/post_only", "HEAD", "/orders")
    for count in ("", "?count=0", "?count=1", "?count=100", "?count=101", "?count=-1", "?count=x"):
        t.get(f"stream/{count or 'default'}", f"/stream{count}")
    for body in (b"", b"bytes", bytes(range(256)), "\u00fc\U0001f980".encode(), b"x" * 3000):
        t.add(f"echo/{len(body)}", "POST", "/echo", (), body)
    t.add("echo/json", "POST", "/echo", JSON, '{"a":')


def not_there(t):
    for path in ("/absent", "/users", "/users/", "/users/7/", "/users/7/8", "/items", "/items/"):
        t.get(f"absent{path}", path)
    for path in ("//", "//health", "/health/", "/Health", "/%68ealth", "/health%2F", "/files"):
        t.get(f"absent{path}", path)
    for path in ("/users/%2F", "/items/7%2F8", "/openapi", "/%", "/%FF", "/../health", "/./health"):
        t.get(f"absent{path}", path)
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        t.add(f"405/hello/{method}", method, "/")
    for method in ("POST", "PUT", "DELETE"):
        t.add(f"405/user/{method}", method, "/users/7")
    t.add("405/users/DELETE", "DELETE", "/users")
    t.add("405/users/PATCH", "PATCH", "/users", JSON, text(USER))
    t.add("405/items/POST", "POST", "/items/7", JSON, text(ITEM))
    t.add("405/items/OPTIONS", "OPTIONS", "/items/7")
    t.add("405/orders/GET", "GET", "/orders")
    t.add("405/echo/GET", "GET", "/echo")
    t.add("405/stream/POST", "POST", "/stream")
    t.add("405/lower_case", "get", "/")
    t.add("absent/POST", "POST", "/absent", JSON, "{")


def paths(t):
    for name, number in values.QUERY_INTS.items():
        if name != "empty":
            t.get(f"users/path/{name}", f"/users/{number}")
    for name in ("minus_one", "2_64", "integral_float", "text", "fraction", "thirty_digits"):
        number = values.QUERY_INTS[name]
        t.get(f"items/path/{name}", f"/items/{number}")
        t.add(f"delete/path/{name}", "DELETE", f"/items/{number}")
    t.add("delete/body", "DELETE", "/items/7", JSON, "{")
    for path in ("a", "a/b/c.txt", "", "/", "a//b", "a/", "a%20b", "a+b", "a%2Fb", "%C3%BC", "%2e%2e"):
        t.get(f"files/{path}", f"/files/{path}")
    for path in ("%FF", "%C3", "a%00b", "a%0Ab", "a%zz", "a%", "a?b=c", "a%3Fb", "a%23b", "%22%5C%7F"):
        t.get(f"files/{path}", f"/files/{path}")
    for path in ("%F0%9F%A6%80", "a;b=c", "a:b@c", "~a-_.!*'()", "%ED%A0%80", "../a", "a/../b"):
        t.get(f"files/{path}", f"/files/{path}")
    t.get("files/long", "/files/" + "a/" * 300)


def queries(t):
    for name, number in values.QUERY_INTS.items():
        t.get(f"query/skip/{name}", f"/items/7?skip={number}")
    for name in ("zero", "one", "hundred", "hundred_one", "text", "integral_float", "2_64"):
        t.get(f"query/limit/{name}", f"/items/7?limit={values.QUERY_INTS[name]}")
    for value in values.QUERY_BOOLS:
        t.get(f"query/short/{value}", f"/items/7?short={value}")
    for value in values.QUERY_FLOATS:
        t.get(f"query/price/{value}", f"/items/7?price={value}")
    for q in ("ab", "a", "", "a" * 20, "a" * 21, "a+b", "a%2Bb", "a%20b", "%C3%BC%C3%BC", "%C3%BC"):
        t.get(f"query/q/{q}", f"/items/7?q={q}")
    for q in ("%FF%FE", "%F0%9F%A6%80", "%F0%9F%A6%80" * 20, "a%00b", "a%26b%3Dc", "a=b", "%zz", "a%2"):
        t.get(f"query/q/{q}", f"/items/7?q={q}")
    for q in ("a;skip=1", "%ED%A0%80x", "%22%5C%0A", "null", "a%23b", "[1]", "%E2%80%A8x"):
        t.get(f"query/q/{q}", f"/items/7?q={q}")
    t.get("query/none", "/items/7?")
    t.get("query/all", "/items/7?q=abc&skip=2&limit=3&short=on&price=4.50")
    t.get("query/order", "/items/7?price=1&short=0&limit=1&skip=1&q=xy")
    t.get("query/all_wrong", "/items/x?q=a&skip=-1&limit=0&short=maybe&price=0")
    t.get("query/unknown", "/items/7?other=1&skip=3&more")
    t.get("query/repeated", "/items/7?skip=1&skip=2&q=ab&q=cd")
    t.get("query/repeated_bad_last", "/items/7?skip=1&skip=x")
    t.get("query/repeated_bad_first", "/items/7?skip=x&skip=1")
    t.get("query/name_case", "/items/7?SKIP=5&Limit=3")
    t.get("query/name_encoded", "/items/7?sk%69p=5")
    t.get("query/no_equals", "/items/7?skip")
    t.get("query/ampersands", "/items/7?&&skip=5&&&q=ab&")
    t.get("query/two_questions", "/items/7??skip=5&q=?x")
    t.get("query/empty_name", "/items/7?=5&q=ab")
    t.get("query/plus_in_name", "/items/7?a+b=1&skip=4")
    for query in ("", "?tag=a", "?tag=a&tag=b&tag=c", "?tag=a&tag=b&tag=c&tag=d", "?tag=", "?tag"):
        t.get(f"search/{query}", f"/search{query}")
    for query in ("sort=asc", "tag=a&sort=desc", "tag=a&sort=ASC", "tag=a&sort=", "sort=up"):
        t.get(f"search/?{query}", f"/search?{query}")
    for query in ("tag=a,b", "tag[]=a", "tag=a&tag=a", "tag=%C3%BC+x", "tag=a&sort=asc&sort=desc"):
        t.get(f"search/?{query}", f"/search?{query}")
    t.get("search/many", "/search?" + "&".join(f"tag={n}" for n in range(40)))
    for notify in ("true", "0", "maybe", "", "true&notify=no"):
        t.add(f"put/notify/{notify}", "PUT", f"/items/7?notify={notify}", JSON, text(ITEM))
    t.add("put/all_wrong", "PUT", "/items/x?notify=maybe", JSON, '{"name":"","price":0}')
    t.add("put/path_and_no_body", "PUT", "/items/x?notify=2", JSON)
    t.add("put/path_and_malformed", "PUT", "/items/x?notify=2", JSON, '{"name"')
    t.add("put/big_path", "PUT", "/items/18446744073709551616", JSON, text(ITEM))
    t.add("patch/path_wrong", "PATCH", "/items/x", JSON, '{"price":-1}')


def headers(t):
    token = ["x-token", "secret"]
    t.get("headers/none", "/headers")
    t.get("headers/token", "/headers", [token])
    t.get("headers/both", "/headers", [token, ["user-agent", "test/1"]])
    t.get("headers/agent_only", "/headers", [["user-agent", "test/1"]])
    for value in ("", "ab", "abc", "  abc  ", "a b", "\u00fcmlaut", "a,b", '"quoted"', "x" * 500):
        t.get(f"headers/value/{value[:10]}", "/headers", [["x-token", value]])
    t.get("headers/case", "/headers", [["X-Token", "secret"], ["USER-AGENT", "T"]])
    t.get("headers/underscore", "/headers", [["x_token", "secret"]])
    t.get("headers/repeated", "/headers", [["x-token", "first"], ["x-token", "second"]])
    t.get("headers/agent_empty", "/headers", [token, ["user-agent", ""]])
    t.get("headers/utf8", "/headers", [["x-token", "\u00c3\u00bcber"]])


def users(t):
    odd, numbers = values.ODD, values.NUMBERS
    t.body("users", "valid", text(USER))
    t.body("users", "least", '{"name":"A","email":"a@b.de","age":0}')
    for field in USER:
        t.field("users", [field], {"missing": None})
    for field in ADDRESS:
        t.field("users", ["address", field], {"missing": None})
    t.field("users", ["name"], odd | strings("A" * 50, "A" * 51) | values.STRINGS)
    t.field("users", ["name"], {"50_emoji": text("\U0001f980" * 50), "51_emoji": text("\u00fc" * 51)})
    t.field("users", ["email"], odd | quoted(values.EMAILS))
    t.field("users", ["email"], {"lone": r'"a\ud800@example.com"', "escaped": r'"\u0061@b.de"'})
    t.field("users", ["age"], odd | numbers | values.NUMERIC_STRINGS | literals("150", "151"))
    t.field("users", ["age"], {"string_4300": text("1" * 4300), "string_4301": text("1" * 4301)})
    t.field("users", ["age"], {"digits_4300": "1" * 4300, "digits_4301": "1" * 4301})
    t.field("users", ["active"], values.BOOLEANS | literals("1e0", "-0", "18446744073709551616"))
    t.field("users", ["website"], odd | quoted(values.URLS))
    t.field("users", ["address"], odd)
    t.field("users", ["address", "street"], literals('""', '"a"', "null", "7"))
    t.field("users", ["address", "city"], strings("", "B" * 40, "B" * 41) | literals("false"))
    zips = ("", "1234", "12345", "123456", "1234a", "12345\n", "\n12345", " 12345", "\u0661" * 5)
    t.field("users", ["address", "zip"], {text(zip): text(zip) for zip in zips})
    t.field("users", ["address", "zip"], literals("12345", "null"))
    t.field("users", ["address", "country"], literals('""', "null", "[]", '"\u00d6"'))
    t.field("users", ["tags"], odd | {"five": '["a","b","c","d","e"]'})
    t.field("users", ["tags"], {"six": '["a","b","c","d","e","f"]', "six_bad": '["","b","c",1,2,3]'})
    t.field("users", ["tags"], {"same": '["a","b","a"]', "same_escaped": r'["a","\u0061"]'})
    t.field("users", ["tags"], {"six_same": '["a","a","a","a","a","a"]', "case": '["a","A"]'})
    t.field("users", ["tags"], {"empty_one": '["a",""]', "mixed": '["a",1,null,["b"],{"c":2}]'})
    t.field("users", ["tags"], {"empty_twice": '["",""]', "composed": '["\u00fc","u\u0308"]'})


def items(t):
    odd, numbers = values.ODD, values.NUMBERS
    t.body("items", "valid", text(ITEM))
    t.body("items", "least", '{"name":"A","price":1}')
    t.body("put", "valid", text(ITEM))
    t.body("put", "least", '{"name":"A","price":1}')
    for field in ITEM:
        t.field("put", [field], {"missing": None})
    t.field("items", ["name"], odd | strings("A" * 100, "A" * 101))
    prices = literals("999999", "999999.9999999999", "1000000", "1000000.0", "1e-320", "0.1", "1e5")
    t.field("items", ["price"], odd | numbers | values.NUMERIC_STRINGS | prices)
    t.field("items", ["price"], {"string_nan": '"nan"', "string_empty": '" "'})
    t.field("items", ["price"], literals("100", "1e-4", "1e-5", "123456.789", "0.1e-6", "1.10"))
    t.field("items", ["quantity"], odd | numbers | values.NUMERIC_STRINGS)
    t.field("items", ["step"], literals("5", "4", "0", "-5", "-4", "5.0", "7.0", '"10"', '"11"'))
    t.field("items", ["step"], literals("92233720368547758075", "92233720368547758076", "null", "true"))
    t.field("put", ["kind"], odd | literals('"book"', '"Book"', '"food "', '"toys"', r'"\u0074oy"'))
    t.field("put", ["rating"], odd | literals("5", "5.0000000001", "-0.0", "-1e-9", "1e400", '"4.5"'))
    t.field("put", ["price"], literals("1e-5", "100000", "123456.7", "2", "3.0", "0.30000000000000004"))


def patches(t):
    t.body("patch", "valid", text(PATCH))
    t.body("patch", "empty", "{}")
    t.body("patch", "nulls", '{"name":null,"price":null,"ref":null}')
    t.body("patch", "turned", '{"ref":"x","name":"y"}')
    t.body("patch", "unknown", '{"other":1}')
    t.field("patch", ["name"], literals('""', '"a"', "1", "true"))
    t.field("patch", ["price"], literals("0", "-1", "1", "1e308", "1e400", '"2.5"', '"x"', "1e16", "1e22"))
    ref = values.ODD | values.NUMBERS | values.NUMERIC_STRINGS | values.STRINGS
    t.field("patch", ["ref"], ref)
    t.field("orders", ["ref"], values.ODD | {"2_64": "18446744073709551616"})


def orders(t):
    t.body("orders", "valid", text(ORDER))
    for field in ORDER:
        t.field("orders", [field], {"missing": None})
    for field in LINE:
        t.field("orders", ["lines", 0, field], {"missing": None})
    t.field("orders", ["customer"], values.ODD)
    t.field("orders", ["lines"], values.ODD | {"null_in": "[null]", "list_in": "[[]]"})
    line = text(LINE)
    for count in (2, 50, 51):
        t.field("orders", ["lines"], {f"{count}": "[" + ",".join([line] * count) + "]"})
    bad = '{"sku":"abc","count":0}'
    t.field("orders", ["lines"], {"51_bad": "[" + ",".join([bad] * 51) + "]"})
    t.field("orders", ["lines"], {"two_bad": f"[{bad},{line},{bad}]"})
    skus = ("ABC-1234", "AB-1234", "ABCD-1234", "abc-1234", "ABC-123", "ABC-12345", "ABC-1234\n", "")
    t.field("orders", ["lines", 0, "sku"], {text(sku): text(sku) for sku in skus})
    t.field("orders", ["lines", 0, "count"], literals("0", "1", "99", "100", "1.0", "1.5", '"5"', "null"))
    t.field("orders", ["lines", 0, "note"], strings("", "n" * 20, "n" * 21) | literals("null", "1"))
    t.field("orders", ["status"], literals('"new"', '"sent"', '"NEW"', '""', "null", "1", '["new"]'))
    t.field("orders", ["customer", "email"], literals('"x"', "null"))
    t.field("orders", ["customer", "tags"], literals('["a","a"]', '[""]'))
    t.field("orders", ["customer", "address", "zip"], literals('"1"', "12345"))
    wrong = {"name": "", "email": "x", "age": -1, "active": "maybe", "website": "x"}
    wrong |= {"address": {"street": "", "zip": "x"}, "tags": ["", 1]}
    lines = '[{"sku":"x","count":100,"note":"' + "n" * 21 + '"},{},7]'
    body = f'{{"customer":{text(wrong)},"lines":{lines},"status":"old","ref":[]}}'
    t.body("orders", "all_wrong", body)
    t.body("orders", "nothing", "{}")


def strict(t):
    t.body("strict", "valid", text(STRICT))
    t.body("strict", "extra", '{"id":1,"label":"a","more":1}')
    t.body("strict", "extras", '{"z":null,"id":1,"a":[1,{"b":2}],"label":"a","":"","\u00fc":1.50}')
    t.body("strict", "extra_and_missing", '{"Id":1,"more":1}')
    t.body("strict", "extra_twice", '{"id":1,"label":"a","more":1,"more":2}')
    t.field("strict", ["id"], literals("0", "1", "-1", "1.0", '"1"', "true", "null", "1e2"))
    t.field("strict", ["id"], literals("9223372036854775808", "1e19", "-18446744073709551616"))
    t.field("strict", ["label"], strings("", "a" * 10, "a" * 11) | {"10_emoji": text("\U0001f980" * 10)})
    t.field("strict", ["label"], {"escaped_10": '"' + r"\u0061" * 10 + '"', "number": "5"})


def documents(t):
    """What a body can be as a whole."""
    for name, raw in values.ODD.items():
        t.body("users", f"whole/{name}", raw)
    t.body("patch", "whole/list", "[]")
    t.body("users", "missing", b"")
    t.body("users", "missing_no_type", b"", ())
    t.body("patch", "missing", b"")
    t.body("strict", "same_twice", '{"id":0,"id":1,"label":"a","label":"b"}')
    t.body("strict", "same_twice_bad_last", '{"id":1,"id":0,"label":"a"}')
    t.body("strict", "same_twice_escaped", r'{"id":1,"label":"a","l\u0061bel":"b"}')
    t.body("users", "same_nested", '{"name":"A","email":"a@b.de","age":1,"address":{"zip":"1","zip":"2"}}')
    t.body("items", "unknown_nested", '{"name":"A","price":1,"x":{"y":[1,{"z":null}]}}')
    t.body("items", "unknown_lone", r'{"name":"A","price":1,"x":"\ud800","\udc00":1}')
    t.body("items", "unknown_numbers", '{"name":"A","price":1,"x":[1e400,-1e400,NaN,Infinity]}')
    t.body("items", "spaces", ' \t\r\n{ "name" : "A" ,\n"price"\t:\r1 } \n')
    t.body("items", "bom", b'\xef\xbb\xbf{"name":"A","price":1}')
    t.body("items", "nesting_100", '{"name":"A","price":1,"x":' + "[" * 100 + "]" * 100 + "}")
    t.body("strict", "nesting_in_error", '{"id":' + "[" * 50 + "]" * 50 + ',"label":"a"}')
    t.body("strict", "echoed", '{"id":{"b":1.0,"a":[1e5,1e16,1e-5,-0.0,"\u00fc\\n\\u0001\\u007f",true,null]}}')
    t.body("strict", "echoed_twice", '{"id":{"a":1,"b":2,"a":3},"label":"a"}')
    t.body("strict", "echoed_numbers", '{"id":[0.1,1E2,123456789012345678901234567890,1.5e300,2e-7,1e22]}')
    t.body("strict", "echoed_strings", r'{"id":["\ud83e\udd80","\u2028","\/","\"","\\","\t"],"label":1}')
    t.body("strict", "echoed_nan", '{"id":NaN,"label":"a"}')
    t.body("items", "price_infinity", '{"name":"A","price":Infinity}')


MALFORMED = {
    "brace": "{",
    "bracket": "[",
    "close": "}",
    "string_open": '{"id":1,"label":"a',
    "key_open": '{"id',
    "no_colon": '{"id" 1}',
    "no_value": '{"id":}',
    "no_value_end": '{"id":',
    "no_comma": '{"id":1 "label":"a"}',
    "comma_last": '{"id":1,"label":"a",}',
    "comma_first": '{,"id":1}',
    "commas": '{"id":1,,"label":"a"}',
    "list_comma_last": '{"id":[1,]}',
    "list_commas": "[1,,2]",
    "list_open": '{"id":[1',
    "list_colon": "[1:2]",
    "single_quotes": "{'id':1}",
    "bare_key": "{id:1}",
    "number_key": '{1:"id"}',
    "after": '{"id":1,"label":"a"} x',
    "after_object": '{"id":1,"label":"a"}{}',
    "after_brace": '{"id":1,"label":"a"}}',
    "comment": '{"id":1,/* */"label":"a"}',
    "word": "hello",
    "true_capital": '{"id":True}',
    "true_cut": '{"id":tru}',
    "null_longer": '{"id":nulll}',
    "nan_lower": '{"id":nan}',
    "infinity_cut": '{"id":Infinit}',
    "leading_zero": '{"id":01}',
    "plus": '{"id":+1}',
    "dot_first": '{"id":.5}',
    "dot_last": '{"id":5.}',
    "exponent_empty": '{"id":1e}',
    "minus": '{"id":-}',
    "minus_word": '{"id":-a}',
    "hex": '{"id":0x10}',
    "escape_unknown": r'{"label":"\x41"}',
    "escape_cut": '{"label":"\\',
    "escape_short": r'{"label":"\u12"}',
    "escape_no_hex": r'{"label":"\u12g4"}',
    "escape_cut_hex": r'{"label":"\u12',
    "control_in_string": '{"label":"a\nb"}',
    "nul_in_string": '{"label":"a\0b"}',
    "tab_in_string": '{"label":"a\tb"}',
    "control_between": '{"id":1,\x0b"label":"a"}',
    "no_break_space": '{"id":\u00a01}',
    "spaces_only": "  \n ",
    "after_umlauts": '{"label":"\u00fc\u00fc\U0001f980" 1}',
    "second_line": '{"id":1,\n"label":}',
}


def malformed(t):
    for name, raw in MALFORMED.items():
        t.body("strict", f"malformed/{name}", raw)
    t.body("users", "malformed/cut", text(USER)[:-1])
    t.body("orders", "malformed/cut", text(ORDER)[:60])
    t.body("strict", "malformed/bad_utf8", b'{"id":1,"label":"\xff"}')
    t.body("strict", "malformed/cut_utf8", b'{"id":1,"label":"\xc3"}')
    t.body("strict", "malformed/utf8_surrogate", b'{"id":1,"label":"\xed\xa0\x80"}')
    t.body("strict", "malformed/utf8_overlong", b'{"id":1,"label":"\xc0\x80"}')


def content_types(t):
    kinds = ("application/json; charset=utf-8", "application/json;charset=latin-1", "Application/JSON")
    kinds += ("application/problem+json", "application/jsonx", "application/json-patch", "text/json")
    kinds += ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "json")
    kinds += ("application/", "", "application/json, text/plain", " application/json ", "*/*")
    kinds += ("application/+json", "application/json;", "multipart/form-data; boundary=x")
    for kind in kinds:
        t.body("strict", f"type/{kind}", text(STRICT), [["content-type", kind]])
    t.body("strict", "type/none", text(STRICT), ())
    t.body("strict", "type/none_bad_json", '{"id":\u00fc', ())
    t.body("strict", "type/none_bad_utf8", b"\xff\xfe", ())
    t.body("strict", "type/text_bad_json", "{", [["content-type", "text/plain"]])
    t.body("users", "type/none", text(USER), ())
    twice = [["content-type", "text/plain"], ["content-type", "application/json"]]
    t.body("strict", "type/twice", text(STRICT), twice)


def table():
    """Every request of the table, in order; ids are unique."""
    t = Table()
    for part in (plain_routes, not_there, paths, queries, headers, users, items, patches, orders):
        part(t)
    for part in (strict, documents, malformed, content_types):
        part(t)
    seen = {}
    for i, (name, *rest) in enumerate(t.requests):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            t.requests[i] = (f"{name}#{seen[name]}", *rest)
    return t.requests
