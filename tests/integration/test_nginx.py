"""nginx: the receiver against the real server, and against answers that are not its page."""

from support.certificates import Authority
from support.ports import free_port
from support.scraped import Target, basic
from support.scraped_servers import SCOPE, complaints, scrape, scraping, shapes, switched, values
from support.servers import Nginx
from support.waiting import until

METRICS = {
    "nginx.connections_accepted": ("connections", "counter", "int", ()),
    "nginx.connections_current": ("connections", "sum", "int", ("state",)),
    "nginx.connections_handled": ("connections", "counter", "int", ()),
    "nginx.requests": ("requests", "counter", "int", ()),
}
PAGE = "Active connections: 5 \nserver accepts handled requests\n 10 9 30 \nReading: 1 Writing: 2 Waiting: 3 \n"


def test_the_real_server(start, http_backend, ending):
    nginx = ending.enter_context(Nginx())
    instance = start(scraping(http_backend, "nginx", endpoint=f"http://{nginx.address}/status"))
    first = scrape(http_backend)
    assert shapes(first) == METRICS
    assert first[0]["scope"][0] == SCOPE + "nginxreceiver" and first[0]["resource"] == {}
    assert set(values(first, "nginx.connections_current")) == {("active",), ("reading",), ("writing",), ("waiting",)}
    before = values(first, "nginx.requests")[()]
    later = scrape(http_backend, lambda found: values(found, "nginx.requests")[()] > before, "no request was counted")
    assert {row["start"] for row in later} == {row["start"] for row in first}
    assert values(later, "nginx.connections_current")[("active",)] >= 1
    instance.wait_metric("otelcol_scraper_scraped_metric_points", 7, receiver="nginx", scraper="nginx")
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="nginx", scraper="nginx") == 0


def test_every_number_has_its_place_and_metrics_can_be_left_out(start, http_backend, ending):
    page = ending.enter_context(Target(PAGE))
    start(scraping(http_backend, "nginx", endpoint=page.url, metrics=switched(["nginx.requests"], False)))
    found = scrape(http_backend)
    assert "nginx.requests" not in shapes(found)
    assert values(found, "nginx.connections_accepted") == {(): 10}
    assert values(found, "nginx.connections_handled") == {(): 9}
    assert values(found, "nginx.connections_current") == {
        ("active",): 5,
        ("reading",): 1,
        ("writing",): 2,
        ("waiting",): 3,
    }


def test_tls_headers_and_credentials(start, http_backend, ending, tmp_path):
    authority = Authority(tmp_path)
    page = ending.enter_context(Target(PAGE))
    nginx = ending.enter_context(Nginx(tls=authority.issue("localhost")))
    configuration = scraping(
        http_backend,
        "nginx",
        endpoint=page.url,
        headers={"X-Own": "yes"},
        auth={"authenticator": "basicauth"},
        also={
            "nginx/tls": {
                "collection_interval": "200ms",
                "endpoint": f"https://localhost:{nginx.port}/status",
                "tls": {"ca_file": str(authority.certificate)},
            }
        },
    )
    configuration["extensions"] = {"basicauth": {"client_auth": {"username": "joe", "password": "secret"}}}
    configuration["service"]["extensions"] = ["health_check", "basicauth"]
    start(configuration)
    scrape(http_backend, lambda found: values(found, "nginx.connections_accepted") != {(): 10}, "nothing came over TLS")
    _, headers = page.requests[0]
    assert headers["X-Own"] == "yes" and headers["Authorization"] == basic("joe", "secret")


def test_wrong_answers_are_logged_once_and_counted(start, http_backend, ending):
    page = ending.enter_context(Target("hello"))
    other = ending.enter_context(Target(PAGE))
    gone = free_port()
    instance = start(
        scraping(
            http_backend,
            "nginx",
            endpoint=page.url,
            also={
                "nginx/gone": {"collection_interval": "200ms", "endpoint": f"http://127.0.0.1:{gone}/status"},
                "nginx/good": {"collection_interval": "200ms", "endpoint": other.url},
            },
        )
    )
    for receiver in ("nginx", "nginx/gone"):
        instance.wait_metric("otelcol_scraper_errored_metric_points", 5, receiver=receiver, scraper="nginx")
    scrape(http_backend)
    assert len(complaints(instance, "no page of nginx's stub_status")) == 1
    assert len(complaints(instance, f"asking http://127.0.0.1:{gone}/status failed")) == 1
    page.status = 404
    until(lambda: complaints(instance, "the answer is HTTP 404"), instance.log)
    page.status, page.page = 200, "x" * 100000
    until(lambda: complaints(instance, "larger than 4096 bytes"), instance.log)
    page.page = PAGE
    instance.wait_metric("otelcol_scraper_scraped_metric_points", 7, receiver="nginx", scraper="nginx")


def test_a_server_that_does_not_answer_holds_up_no_stop(start, http_backend, ending):
    page = ending.enter_context(Target(PAGE))
    configuration = scraping(http_backend, "nginx", endpoint=page.url, timeout="60s")
    waiting = []
    page.page = lambda number: waiting.append(number) or until(lambda: page.server is None, "the end", 120) and ""
    instance = start(configuration)
    until(lambda: waiting, "it was not asked")
    instance.reload()
    instance.terminate(20)
