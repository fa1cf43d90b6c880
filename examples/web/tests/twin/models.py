"""Writes models.jsonl: what pydantic and FastAPI say to each case of the model tests.

    pip install fastapi==0.165.0 pydantic==2.14.3 httpx email-validator==2.4.0 idna==3.20
    python models.py > models.jsonl

A line is {"model": name, "source": "body" or "query", "input": text, "ok": bool, "answer": text}. The
answer of a valid case is the model, that of an invalid one the body of the 422.
"""

import json
import sys
import warnings
from typing import Annotated, Literal

warnings.simplefilter("ignore")

from app import Item, Order, Patch, Strict, User, unique
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel, EmailStr, Field, HttpUrl


Short = Annotated[str, Field(min_length=1)]


class AnInt(BaseModel):
    v: int


class Ruled(BaseModel):
    v: int = Field(gt=0, le=100, multiple_of=5)


class Signed(BaseModel):
    v: int = Field(ge=-5, le=9007199254740993)
    w: int | None = Field(None, gt=-9223372036854775808, lt=-1, multiple_of=3)
    x: float | None = Field(None, ge=-5, lt=-0.5)


class AFloat(BaseModel):
    v: float


class Range(BaseModel):
    v: float = Field(gt=0, lt=10, multiple_of=0.5)


class Tenth(BaseModel):
    v: float = Field(multiple_of=0.1)


class Least(BaseModel):
    v: float = Field(ge=0.5, le=1e16)


class ABool(BaseModel):
    v: bool


class AText(BaseModel):
    v: str = Field(min_length=2, max_length=3, pattern=r"^\w+$")


class AList(BaseModel):
    v: Annotated[list[Short], Field(min_length=2, max_length=4), AfterValidator(unique)]


class Numbers(BaseModel):
    v: list[int]


class Choice(BaseModel):
    v: Literal["a"]
    w: Literal["it's", "x"] = "x"


class AnEmail(BaseModel):
    v: EmailStr


class AUrl(BaseModel):
    v: HttpUrl


class Unions(BaseModel):
    a: float | str | None = None
    b: str | int
    c: int | bool | None = None


class Asked(BaseModel):
    tag: Annotated[list[Annotated[str, Field(min_length=2)]], Query(min_length=1, max_length=3)]
    skip: Annotated[int, Query(ge=0)] = 0
    q: Annotated[str | None, Query(min_length=2, max_length=5)] = None
    short: bool = False
    price: Annotated[float | None, Query(gt=0)] = None
    sort: Literal["asc", "desc"] = "asc"
    nums: list[int] = []


app = FastAPI()
client = TestClient(app, raise_server_exceptions=False)


def post(model):
    @app.post("/" + model.__name__)
    def answer(body: model):
        return body.model_dump(mode="json", exclude_unset=model is Patch)


for known in list(globals().values()):
    if isinstance(known, type) and issubclass(known, BaseModel) and known not in (BaseModel, Asked):
        post(known)


@app.get("/Asked")
def asked(
    tag: Annotated[list[Annotated[str, Field(min_length=2)]], Query(min_length=1, max_length=3)],
    skip: Annotated[int, Query(ge=0)] = 0,
    q: Annotated[str | None, Query(min_length=2, max_length=5)] = None,
    short: bool = False,
    price: Annotated[float | None, Query(gt=0)] = None,
    sort: Literal["asc", "desc"] = "asc",
    nums: Annotated[list[int], Query()] = [],
):
    return dict(tag=tag, skip=skip, q=q, short=short, price=price, sort=sort, nums=nums)


NUMBERS = """1 1.0 1.5 -0 -0.0 1e2 1e15 1e18 9.3e18 1e19 1e30 123456789012345678901234567890
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 true false null
"12" "\\t12\\u00a0" "1_000" "1__0" "+3" "-3" "+-3" "--1" "1.0" "1.00" "1." "1.5" ".0" "1e3" "" "x"
"0x1" "00012" "-0" "123456789012345678901234567890" "-1_2345678901234567890123" "1_2.0" "٣" [] {} "1_000.0"
"-1_0" "_1" "1_" "0__1" "-0__1" "0_" "00" "0.0" "0_.0" "1_.0" "1._0" "-0012.0" "-1__0" "1.0_0" "0_1" "-_1"
1E5 1e+5 1e-5 0.1 0.0001 0.00001 123456789.123456789 1e16 1e21 123456789012345680.0 5e-324
1.7976931348623157e308 0.30000000000000004 -9223372036854775808.0 9223372036854774784.0 "12345678901234567890.0"
"1e5" "1_0e1_0" "+.5" "5." "." "e5" "1f" "1_0.5" 9999999999999998.0 12345678901234567 2.5e-7 100 99 [1,2.50] {"a":1e3}"""
BOOLS = """true false 0 1 2 -1 1.0 0.0 1.5 2.0 "yes" "on" "TRUE" "t" "Y" "off" "f" "N" "no" "1" "0"
"true\\u0020" "2" "" null [] {} 1e30 123456789012345678901234567890 -0.0 "oN" 9223372036854775808 -0"""
TEXTS = r'''"a" "" "ab" "abc" "abcd" "äöü" "😀" "a\u0020b" 1 null true [] {"a":1} "ab\n" "\u00e9e" "a\u0000" "\"\\\/"
1.5 "abcdef😀" "\ud83d\ude00\t\b\f" "\u001f\u007f" "<>&\u2028"'''
EMAILS = r'''"a@b.com" "A.B@Example.COM" "a" "" "a@" "@b.com" "a@b" "a\u0020b@c.com" "a@b\u0020c.com" "a@b..com"
"a@.b.com" "a@b.com." ".a@b.com" "a.@b.com" "a..b@c.com" "a@b@c.com" "ä@b.com" "a@ä.com" "John\u0020<j@x.com>"
"<j@x.com>" "\u0020a@b.com\u0020" "a@-b.com" "a@b-.com" "a@b.com-" "a@b.c1" "a@example.test" "a@localhost"
"a@[127.0.0.1]" "\"a\u0020b\"@c.com" "a@b_c.com" "POSTMASTER@X.com" "Info@x.com" 1 null [] "a,b@c.com" "a\nb@c.com"
"a@b.xn--p1ai" "a@xn--4ca.com" "a@B.XN--P1AI" "a(b)@c.com" "a@b.example" "a@b.123" "a＠b.com" "a@b.-com"
"a@bb--cc.com" "a@b.local" "a@x.invalid" "a@b.onion" "a\\b@c.com" "'a@c.com" "a@b.c" "a\tb@c.com" "a@b!c;d.com"
"a;b,c@d.com" "a+tag@sub.example.org" "日本@例え.jp" "a@it's.com" "\"J\u0020D\"\u0020<j@x.com>"'''
URLS = r'''"http://a.com" "https://a.com/" "HTTP://A.com/x?y#z" "a.com" "" "http://" "ftp://a.com" "http://a\u0020b.com"
"http://a.com:99999" "http://a.com:80" "http://[::1" "http://[::1]/" "http://a.com/a\u0020b" "http://ä.com/ä"
"http://1.2.3.4" "http://1.2.3" "http://256.1.1.1" "mailto:a@b.com" "http:a.com" "http:///a.com"
"\u0020http://a.com\u0020" "http://a.com/../b/./c" "http://u:p@a.com" "javascript:alert(1)" "//a.com" "http://a.com/%zz"
"http://a.com?x" "http://a.com#x" "http://a..com" "http://a_b.com" "http://-a.com" "http://a.com:" "http://:80"
"http://%" "http://a<b.com" 1 null [] "http://xn--a" "http://a.com\\b" "https://a.com:443" "http://a.com/é?é#é"
"http://a.com/x|y" "http://a.com:8080" "http://foo.123" "http://a.com/x.y/-_~" "http://a.com/.x" "https://A.b/C"'''

USER = '"name":"Ann","email":"ann@x.org","age":7'
BODIES = {
    "User": [
        "{%s}" % USER, "{}", "[1]", "null", '"x"', "1", "true", "1.5", '{"name":"","email":"x","age":-1,"active":"maybe"}',
        '{%s,"tags":["a","b","a"],"website":"http://x.org","address":{}}' % USER,
        '{%s,"tags":["a","","c",1,null]}' % USER, '{%s,"tags":["1","2","3","4","5","6"]}' % USER,
        '{%s,"tags":"a","address":[],"website":1}' % USER,
        '{%s,"address":{"street":"","city":"%s","zip":"1234"},"extra":[1]}' % (USER, "c" * 41),
        '{%s,"address":{"street":"S","city":"C","zip":"12345"},"website":"http://x.org/a","tags":["ü","\\n"],"active":0}' % USER,
        '{%s,"address":null,"website":null,"active":"off","age":151,"age":"150"}' % USER,
        '{"name":1,"email":2,"age":"x","active":null,"tags":null,"address":5}', '{"name":"%s","email":"a@b.c","age":1.0}' % ("é" * 51),
        '{"name":"%s","email":"a@b.c","age":true}' % ("é" * 50), '{"x":{"a":1,"b":[1,{"c":null}],"a":2},"name":"n","x":{"z":1e16}}',
        '{"na\\u006de":"esc","email":"e\\u0040x.org","age":1}',
    ],
    "Item": [
        '{"name":"x","price":1}', '{"name":"x","price":"2.50","quantity":"3","kind":"toy","rating":5,"step":10}',
        '{"name":"","price":0,"quantity":0,"kind":"car","rating":5.1,"step":7}', '{"name":"x","price":1000000,"rating":-0.1}',
        '{"name":"x","price":"nan","rating":"inf"}', '{"name":"x","price":1e-7,"rating":null,"quantity":1.5}',
        '{"name":"x","price":999999.99,"quantity":12345678901234567890,"step":-5}', '{"name":"x","price":true,"step":"15","kind":null}',
        '{"name":null,"price":null,"quantity":null,"kind":1,"rating":"x","step":1e1}',
    ],
    "Patch": ["{}", '{"name":null}', '{"name":"n","price":"1.5","ref":"7"}', '{"ref":7}', '{"ref":7.0}', '{"ref":7.5}', '{"ref":null}', '{"ref":true}', '{"ref":[1]}', '{"name":"","price":0,"ref":{}}', '{"ref":1e30}', '{"ref":123456789012345678901234567890}'],
    "Order": [
        '{"customer":{%s},"lines":[{"sku":"ABC-1234","count":2}],"ref":1}' % USER, '{"customer":{},"lines":[],"status":"old"}',
        '{"customer":1,"lines":[{},5,{"sku":"x","count":0,"note":"%s"}],"ref":null}' % ("n" * 21), '{"customer":{%s},"lines":{},"ref":"r","status":"paid"}' % USER,
        '{"customer":{%s},"lines":[%s],"ref":1}' % (USER, ",".join(['{"sku":"ABC-1234","count":2}'] * 51)),
        '{"customer":{%s},"lines":[{"sku":"ABC-12345","count":100},{"sku":"ABC-1234","count":"99","note":null}],"ref":"r"}' % USER,
    ],
    "Strict": ["{}", '{"z":1,"id":0,"a":[1]}', '{"id":1,"label":"x","z":{"k":1,"k":2},"y":2,"z":3}', '{"id":"x","label":"01234567890","id":7}', '{"id":1,"label":"x"}', '{"id":123456789012345678901234567890,"label":"ä"}', '{"id":-123456789012345678901234567890,"label":1}'],
    "Signed": [
        '{"v":-5}', '{"v":-6,"w":-1,"x":-5.5}', '{"v":9007199254740993,"w":-9223372036854775806,"x":-5}', '{"v":9007199254740994,"w":-9223372036854775808,"x":-0.5}',
        '{"v":123456789012345678901,"w":-123456789012345678903}', '{"v":-123456789012345678901,"w":-4}', '{"v":"-5","w":"-6","x":"-5.0"}',
    ],
    "Choice": ['{"v":"a"}', '{"v":"b"}', '{"v":"a","w":"y"}', '{"v":["a"],"w":{"a":1}}', '{"v":1,"w":"it\'s"}', '{"v":null,"w":null}'],
    "Unions": ['{"a":1}', '{"a":"1","b":"1","c":"1"}', '{"a":1.5,"b":1,"c":1.0}', '{"b":1.0,"c":true}', '{"b":2.5,"c":"yes"}', '{"a":true,"b":true}', '{"a":[],"b":[],"c":[]}', '{"a":null,"c":null,"b":null}', '{"c":2}'],
}
FIELDS = {
    "AnInt": NUMBERS.split(), "AFloat": NUMBERS.split(), "ABool": BOOLS.split(), "AText": TEXTS.split(), "AnEmail": EMAILS.split(), "AUrl": URLS.split(),
    "Ruled": '0 -5 3 7 100 105 0.0 5.0 5.5 "5" "3" true "-5" 123456789012345678901234567890 -123456789012345678901234567890'.split(),
    "Range": '0 -5 3 0.5 0.7 10 9.5 1e308 "0.25" true "nan" "inf" 0.1 -0.0 11.3'.split(),
    "Tenth": "0.1 0.3 0.7 1 1.05 1e15 1e17 1e308 0.30000000001 -0.3 0 1e-12 123456.75 0.15 0.10000001".split(),
    "Least": '0.5 0.4 1e16 1.1e16 "inf" "nan" "-inf" 1'.split(),
    "AList": ['["a"]', '[""]', '["",""]', '["a","a"]', '["a","a",""]', '["a","b"]', '["a",1,1,1,1]', "[]", '"ab"', "null", '{"a":1}', "5", "[null,[]]", '["a",["x"],{"k":1.50}]'],
    "Numbers": ['[1,"x",2.5,"3",true,null]', "[]", '[1,"2",3.0,false]', "[[1]]"],
}
LONG = [("AnInt", '"%s"' % text) for text in ("0" * 4301, "-" + "0_" * 2200 + "1", "1." + "0" * 4301, "_".join("1" * 4300), "_".join("1" * 4301), "1" * 4301 + "x", "1" * 4301 + ".5", "x" * 4301)]
LONG += [("AnInt", '"%s"' % ("1" * 4300)), ("AnInt", '"%s"' % ("1" * 4301)), ("AnInt", '"%s"' % (" " * 4301)), ("AnEmail", '"%s@b.com"' % ("a" * 65)), ("AnEmail", '"a@%s.com"' % ("b" * 64)),
    ("AnEmail", '"a@%s.com"' % ("b" * 63)), ("AnEmail", '"a@%scom"' % ("b." * 130)), ("AnEmail", '"%s@b.com"' % ("a" * 250)), ("AnEmail", '"%s"' % ("a" * 2049)), ("AUrl", '"http://%s.com"' % ("a" * 2100)), ("AUrl", '"http://%s.com"' % ("a" * 70))]
QUERIES = ["", "tag=a&tag=&tag=abc&skip=-1&skip=x&q=&short=maybe&price=0&sort=up", "tag=ab&tag=cd&tag=ef&tag=gh&q=1234567&price=nan", "tag=a+b&tag=%C3%A4%20%ff&short=on&q=a%20b&skip=+5&price=1_0&sort=desc&nums=1&nums=x",
    "tag=ab&q=ab=c&&skip&price=2", "tag=%zz&q=%4&skip=%2B3", "tag=ab;cd&TAG=x&nums=1&nums=2", "=x&tag=%e2%82%ac%e2%82&t%61g=xy&", "tag=ab&short=1&price=1e3&skip=%20%31%32", "tag=ab&skip=1.0&skip=2.50", "&&&", "tag=%F0%9F%98%80x&nums=", "tag=a%00b&q=%22%5c"]


def line(model, source, text, response):
    if response.status_code not in (200, 422):
        print("left out:", model, text[:60], response.status_code, file=sys.stderr)
        return
    ok = response.status_code == 200
    print(json.dumps({"model": model, "source": source, "input": text, "ok": ok, "answer": response.text}, ensure_ascii=False))


def bodies():
    for model, texts in BODIES.items():
        yield from ((model, text) for text in texts)
    for model, values in FIELDS.items():
        yield from ((model, '{"v":%s}' % value) for value in values)
    yield from ((model, '{"v":%s}' % value) for model, value in LONG)


for model, text in bodies():
    headers = {"content-type": "application/json"}
    line(model, "body", text, client.post("/" + model, content=text.encode(), headers=headers))
for query in QUERIES:
    line("Asked", "query", query, client.get("/Asked?" + query))
