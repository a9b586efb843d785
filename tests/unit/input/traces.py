"""Events over several lines, as programs of many languages write them."""

JAVA = """\
2026-11-29 10:15:01,123 ERROR [http-1] c.e.Shop - Request failed
java.lang.IllegalStateException: no stock
\tat com.example.Shop.sell(Shop.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:833)
\tat com.example.Shop$$Lambda$14/0x0000000800066840.run(Unknown Source)
\tSuppressed: java.io.IOException: closed
\t\tat com.example.Db.close(Db.java:7)
Caused by: org.postgresql.util.PSQLException: ERROR: relation "stock" does not exist
  Position: 15
\tat org.postgresql.Driver.run(Driver.java:1)
\t... 12 more
Caused by: com.example.shop.OutOfStock$Failure
\t... 3 common frames omitted"""

JAVA_MESSAGE = """\
Exception in thread "main" com.example.ConfigException: no stock:
  - item 1
and no way to get some.

Consider buying.
\tat com.example.Shop.sell(Shop.java:42)
Caused by: java.io.IOException: one
two
three
\t... 3 more"""

JAVA_TRIMMED = """\
29-Nov-2026 10:15:01.123 SEVERE [main] org.apache.catalina.core.StandardContext.start Error
java.lang.Error: javax/servlet/Filter
at java.lang.Class.forName0(Native Method)
at com.example.Main.<init>(Main.java:5)
... 20 more"""

JAVA_UTIL_LOGGING = """\
Nov 29, 2026 10:15:01 AM com.example.Main main
SEVERE: Cannot start
java.lang.RuntimeException: x
\tat com.example.Main.main(Main.java:3)"""

PYTHON = """\
2026-11-29 10:15:01,123 ERROR shop: Request failed
Traceback (most recent call last):
  File "/app/shop.py", line 42, in sell
    raise KeyError(item)
           ^^^^^^^^^^^^^^
KeyError: 'stock'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/shop.py", line 44, in sell
    raise OutOfStock from None
shop.errors.OutOfStock: item 7"""

PYTHON_STACK = """\
2026-11-29 10:15:01,123 ERROR shop: here
Stack (most recent call last):
  File "/app/shop.py", line 42, in sell
    log.error("here", stack_info=True)"""

PYTHON_SQL = """\
2026-11-29 10:15:01,123 ERROR shop: failed
Traceback (most recent call last):
  File "/app/db.py", line 7, in read
    cursor.execute(statement)
sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: stock
[SQL: SELECT * FROM stock]
[parameters: (7,)]
(Background on this error at: https://sqlalche.me/e/20/e3q8)"""

PYTHON_GROUP = """\
ERROR:root:several
  + Exception Group Traceback (most recent call last):
  |   File "/app/x.py", line 1, in <module>
  |     raise ExceptionGroup("several", errors)
  | ExceptionGroup: several (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------"""

GO_PANIC = """\
panic: runtime error: invalid memory address or nil pointer dereference [recovered]
\tpanic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48b1c5]

goroutine 1 [running]:
main.(*Shop).Sell(0xc000012345, {0x4b5f2a, 0x5})
\t/app/main.go:12 +0x1d
github.com/acme/shop/internal/db.Open[...](...)
\t/app/internal/db/db.go:99
main.main()
\t/app/main.go:8 +0x25
created by net/http.(*Server).Serve in goroutine 7
\t/usr/local/go/src/net/http/server.go:3086 +0x5cb
exit status 2"""

GO_SERVER = """\
2026/11/29 10:15:01 http: panic serving 10.0.0.1:5555: boom
goroutine 18 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1868 +0xb9
panic({0x6a1a20?, 0x7ad3f0?})
\t/usr/local/go/src/runtime/panic.go:920 +0x270"""

DOTNET = """\
2026-11-29 10:15:01.123 +01:00 [ERR] Request failed
System.InvalidOperationException: no stock
 ---> System.IO.IOException: closed
   at Shop.Db.Open(String name, Int32 port) in C:\\src\\Db.cs:line 7
   --- End of inner exception stack trace ---
   at Shop.Sell`1.MoveNext()
--- End of stack trace from previous location ---
   at Shop.Program.Main(String[] args)"""

DOTNET_CONSOLE = """\
fail: Shop.Program[0]
      Request failed
      System.Exception: x"""

NODE = """\
2026-11-29T10:15:01.123Z error: Request failed
Error: connect ECONNREFUSED 127.0.0.1:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)
    at async Shop.sell (file:///app/shop.js:42:7) {
  errno: -111,
  [cause]: TypeError: x
      at new Shop (/app/shop.js:1:1)
}"""

NODE_UNCAUGHT = """\
/app/shop.js:10
    throw new Error('no stock')
    ^

Error: no stock
    at Object.<anonymous> (/app/shop.js:10:11)
    at node:internal/main/run_main_module:28:49"""

NODE_TOP_LEVEL = """\
/app/shop.mjs:3
throw new Error('no stock')
^

Error: no stock
    at file:///app/shop.mjs:3:7

Node.js v22.1.0"""

RUBY = """\
app.rb:3:in `sell': no stock (RuntimeError)
\tfrom app.rb:7:in `block in main'
from app.rb:9:in `<main>'"""

RAILS = """\
F, [2026-11-29T10:15:01.123456 #77] FATAL -- : ActionView::Template::Error (undefined method `x'):
    1: <%= x %>

app/views/shop/index.html.erb:1:in `_app_views'
app/controllers/shop_controller.rb:5:in `index'"""

PHP = """\
[29-Nov-2026 10:15:01 UTC] PHP Fatal error:  Uncaught RuntimeException: no stock in /app/shop.php:3
Stack trace:
#0 /app/shop.php(9): sell('stock')
#1 [internal function]: main()
#2 {main}
  thrown in /app/shop.php on line 3"""

PHP_NEXT = """\
[29-Nov-2026 10:15:01 UTC] PHP Fatal error:  Uncaught PDOException: gone in /app/db.php:3
Stack trace:
#0 /app/db.php(9): connect()
#1 {main}

Next Shop\\OutOfStock: no stock in /app/shop.php:7
Stack trace:
#0 {main}
  thrown in /app/shop.php on line 7"""

LARAVEL = """\
[2026-11-29 10:15:01] production.ERROR: no stock {"exception":"[object] (RuntimeException(code: 0): no stock
[stacktrace]
#0 /app/vendor/x.php(9): Shop->sell()
#1 {main}
"}"""

RUST = """\
thread 'main' panicked at src/main.rs:2:5:
no stock
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b431/library/std/src/panicking.rs:645:5
note: run with `RUST_BACKTRACE=full` for a verbose backtrace"""

RUST_ANYHOW = """\
2026-11-29T10:15:01Z ERROR shop: cannot sell

Caused by:
    0: no stock
    1: No such file or directory (os error 2)

Stack backtrace:
   0: anyhow::error::msg
             at /app/src/main.rs:5:9"""

ELIXIR_SERVER = """\
10:15:01.123 [error] GenServer Shop terminating
** (RuntimeError) no stock
    (shop 0.1.0) lib/shop.ex:5: Shop.sell/1
Last message (from #PID<0.1.0>): {:sell, 7}
State: %{items: []}"""

CLOJURE = """\
2026-11-29 10:15:01 ERROR shop - failed
clojure.lang.ExceptionInfo: no stock {:item 7}
    at shop.core$sell.invokeStatic (core.clj:7)"""

ELIXIR = """\
10:15:01.123 [error] GenServer Shop terminating
** (RuntimeError) no stock
    (shop 0.1.0) lib/shop.ex:5: Shop.sell/1"""

POSTGRES = """\
2026-11-29 10:15:01.123 UTC [77] ERROR:  syntax error at or near "FORM" at character 10
\tSELECT *
\t  FORM stock"""

PRETTY_JSON = """\
{
  "message": "x",
  "list": [
    1
  ]
}"""

TRACES = {name.lower(): value for name, value in list(globals().items()) if name.isupper()}
