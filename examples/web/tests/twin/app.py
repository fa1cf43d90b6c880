"""The demonstration application of examples/web in FastAPI: what the port must answer."""

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, HttpUrl
from pydantic_core import PydanticCustomError

app = FastAPI(redirect_slashes=False)


def unique(items: list[str]) -> list[str]:
    """The rule that pydantic 2 no longer has."""
    if len(set(items)) < len(items):
        raise PydanticCustomError("unique_items", "List items should be unique")
    return items


class Address(BaseModel):
    street: str = Field(min_length=1)
    city: str = Field(min_length=1, max_length=40)
    zip: str = Field(pattern="^[0-9]{5}$")
    country: str = "DE"


class User(BaseModel):
    name: str = Field(min_length=1, max_length=50)
    email: EmailStr
    age: int = Field(ge=0, le=150)
    active: bool = True
    website: HttpUrl | None = None
    address: Address | None = None
    tags: Annotated[
        list[Annotated[str, Field(min_length=1)]], Field(max_length=5), AfterValidator(unique)
    ] = []


class Item(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    price: float = Field(gt=0, lt=1000000)
    quantity: int = Field(1, ge=1, multiple_of=1)
    kind: Literal["book", "toy", "food"] = "book"
    rating: float | None = Field(None, ge=0, le=5)
    step: int = Field(5, multiple_of=5)


class Patch(BaseModel):
    name: str | None = Field(None, min_length=1)
    price: float | None = Field(None, gt=0)
    ref: int | str | None = None


class Line(BaseModel):
    sku: str = Field(pattern="^[A-Z]{3}-[0-9]{4}$")
    count: int = Field(ge=1, le=99)
    note: str | None = Field(None, max_length=20)


class Order(BaseModel):
    customer: User
    lines: list[Line] = Field(min_length=1, max_length=50)
    status: Literal["new", "paid", "sent"] = "new"
    ref: int | str


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: int = Field(gt=0)
    label: str = Field(max_length=10)


def get(path: str, **options: Any):
    """A GET route that answers HEAD, which FastAPI's own `get` does not."""
    return app.api_route(path, methods=["GET", "HEAD"], **options)


@get("/")
async def hello():
    return {"message": "Hello, World"}


@get("/health")
async def health():
    return PlainTextResponse("ok")


@get("/users/{user_id}")
async def read_user(user_id: Annotated[int, Path(ge=1)]):
    return {"user_id": user_id, "name": f"User {user_id}"}


@get("/items/{item_id}")
async def read_item(
    item_id: int,
    q: Annotated[str | None, Query(min_length=2, max_length=20)] = None,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    short: bool = False,
    price: Annotated[float | None, Query(gt=0)] = None,
):
    return {
        "item_id": item_id,
        "q": q,
        "skip": skip,
        "limit": limit,
        "short": short,
        "price": price,
    }


@get("/search")
async def search(
    tag: Annotated[list[str], Query(min_length=1, max_length=3)],
    sort: Literal["asc", "desc"] = "asc",
):
    return {"tags": tag, "sort": sort}


@get("/files/{path:path}")
async def read_file(path: str):
    return {"path": path}


@get("/headers")
async def read_headers(
    x_token: Annotated[str, Header(min_length=3)],
    user_agent: Annotated[str | None, Header()] = None,
):
    return {"x_token": x_token, "user_agent": user_agent}


@app.post("/users", status_code=201)
async def create_user(user: User):
    return user


@app.post("/items")
async def create_item(item: Item):
    total = item.price * item.quantity
    return {"name": item.name, "price": item.price, "quantity": item.quantity, "total": total}


@app.put("/items/{item_id}")
async def replace_item(item_id: int, item: Item, notify: bool = False):
    return {"item_id": item_id, "notify": notify, "item": item}


@app.patch("/items/{item_id}")
async def patch_item(item_id: int, patch: Patch):
    return patch.model_dump(exclude_unset=True)


@app.delete("/items/{item_id}", status_code=204)
async def delete_item(item_id: int):
    return None


@app.post("/orders", status_code=201)
async def create_order(order: Order):
    return {
        "customer": order.customer.name,
        "lines": len(order.lines),
        "total": sum(line.count for line in order.lines),
        "status": order.status,
        "ref": order.ref,
    }


@app.post("/strict")
async def strict(body: Strict):
    return body


@app.post("/echo")
async def echo(request: Request):
    return Response(await request.body(), media_type="application/octet-stream")


@get("/stream")
async def stream(count: Annotated[int, Query(ge=0, le=100)] = 3):
    lines = (f"line {number}\n" for number in range(count))
    return StreamingResponse(lines, media_type="text/plain")


@get("/tuple", status_code=202)
async def accepted():
    return {"accepted": True}
