# SPDX-License-Identifier: GPL-2.0
"""nflbd --once against real servers on the loopback device of a network namespace: for
each kind of check, results and their reasons. The program is built with sanitizers."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
# Others become root of a user namespace, in which nobody does not exist.
ROOT = not os.geteuid()
NFLBD = os.environ.get("NFLBD", os.path.join(HERE, "../../userspace/build/test/nflbd"))


def http(port=80, protocol="http", **keys):
    return port, {"protocol": protocol, **{k.replace("_", "-"): v for k, v in keys.items()}}


def path(name, **keys):
    return http(request_path="/" + name, **keys)


def https(port=443, **keys):
    return http(port, "https", **keys)


def tls(port=443, **keys):
    return http(port, "tls", **keys)


def tcp(port, **keys):
    return http(port, "tcp", **keys)


def udp(port, **keys):
    return http(port, "udp", **keys)


def dns(**keys):
    return http(53, "dns", **keys)


def command(*words, **keys):
    return http(80, "exec", command=list(words), **keys)


def shell(text, **keys):
    return command("/bin/sh", "-c", text, **keys)


OK, FAIL, VOID = "success", "failure", "void"

# name: (port and check, result, reason, what the detail matches)
CASES = {
    "tcp": (tcp(80), OK, None, ""),
    "tcp-fin": (tcp(80, close="fin"), OK, None, ""),
    "tcp-refused": (tcp(81), FAIL, "connect-refused", ""),
    "tcp-banner": (tcp(25, expect="220 "), OK, None, ""),
    "tcp-other-banner": (tcp(25, expect="+OK"), FAIL, "answer", ""),
    "tcp-no-banner": (tcp(9, expect="220"), FAIL, "timeout", ""),
    "tcp-dialogue": (tcp(6379, send="PING\r\n", expect="+PONG"), OK, None, ""),
    "tcp-dialogue-hex": (tcp(6379, send="hex:50494e470d0a", expect="hex:2b504f"), OK, None, ""),
    "tcp-dialogue-closed": (tcp(6379, send="QUIT", expect="+PONG"), FAIL, "answer", "closed"),
    "tcp-other-port": ((81, {"protocol": "tcp", "port": 80}), OK, None, ""),
    "http": (http(), OK, None, "200"),
    "http-upper-case": (http(protocol="HTTP"), OK, None, "200"),
    "http-refused": (http(81), FAIL, "connect-refused", ""),
    "http-404": (path("404"), FAIL, "http-status", "404"),
    "http-302": (path("302"), OK, None, "302"),
    "http-302-is-not-followed": (path("302", expect_status=200), FAIL, "http-status", "302"),
    "http-503": (path("503"), FAIL, "http-status", "503"),
    "http-expected-404": (path("404", expect_status="200,404-405"), OK, None, "404"),
    "http-drain": (path("404", drain_status="404"), OK, None, "404"),
    "http-body": (http(expect_body="is well"), OK, None, "200"),
    "http-other-body": (http(expect_body="is ill"), FAIL, "http-body", ""),
    "http-regex": (http(expect_body_regex="^all .* well$"), OK, None, "200"),
    "http-other-regex": (http(expect_body_regex="^is"), FAIL, "http-body", ""),
    "http-chunked": (path("chunked", expect_body="all is well"), OK, None, "200"),
    "http-limit": (path("big", expect_body="needle"), FAIL, "http-body", ""),
    "http-begin-of-big": (path("big", expect_body="aaa", body_limit=1000), OK, None, "200"),
    "http-endless": (path("endless"), OK, None, "200"),
    "http-host": (path("echo", expect_body="Host: 10.1.0.1:80\n"), OK, None, ""),
    "http-own-host": (path("echo", host="shop.example", expect_body="Host: shop.example\n"),
                      OK, None, ""),
    "http-headers": (path("echo", headers={"X-A": "b", "Accept": "text/x"},
                          expect_body_regex="^X-A: b$"), OK, None, ""),
    "http-path": (path("echo?a=/../b%20c", expect_body="GET /echo?a=/../b%20c\n"), OK, None, ""),
    "http-method": (path("echo", method="OPTIONS", expect_body="OPTIONS /echo"), OK, None, ""),
    "http-head": (path("200", method="HEAD"), OK, None, "200"),
    "http-hang": (path("hang"), FAIL, "timeout", ""),
    "http-reset": (path("reset"), FAIL, "reset", ""),
    "http-garbage": (path("garbage"), FAIL, "http-malformed", ""),
    "http-empty": (path("empty"), FAIL, "http-malformed", ""),
    "http-cut": (path("cut"), FAIL, "http-malformed", ""),
    "http-to-https": (http(443), FAIL, "http-malformed|reset", ""),
    "http-weight": (path("weight?55", weight_header="x-weight"), OK, None, "200"),
    "http-bad-weight": (path("weight?-5", weight_header="x-weight"), FAIL, "http-malformed", ""),
    "https": (https(), OK, None, "200"),
    "https-verify": (https(verify="CA", sni="good.test"), OK, None, "200"),
    "https-name-of-host": (https(verify="CA", host="good.test"), OK, None, "200"),
    "https-address": (https(verify="CA"), OK, None, "200"),
    "https-other-name": (https(verify="CA", sni="bad.test"), FAIL, "tls-verify", ""),
    "https-by-name": (https(verify="CA", sni="other.test"), OK, None, "200"),
    "https-unknown-authority": (https(verify=True, sni="good.test"), FAIL, "tls-verify", ""),
    "https-expired": (https(444, verify="CA", sni="good.test"), FAIL, "tls-expired", ""),
    "https-expired-unverified": (https(444), OK, None, "200"),
    "https-fail-days": (https(445, expiry_fail_days=30), FAIL, "tls-expired", "in 9 days"),
    "https-no-certificate": (https(446), FAIL, "tls-alert|reset", ""),
    "https-certificate": (https(446, client_cert="CLIENT"), OK, None, "200"),
    "https-no-file": (https(client_cert="/does/not/exist"), VOID, "check-broken", ""),
    "https-to-http": (https(80), FAIL, "tls-alert", ""),
    "https-tls-1.2": (https(447), OK, None, "200"),
    "https-h2": (https(8444, alpn="h2"), OK, None, "200"),
    "https-no-h2": (https(448, alpn="h2"), FAIL, "tls-alert", "no h2"),
    "https-http-1.1": (https(448, alpn="http/1.1"), OK, None, "200"),
    "tls": (tls(), OK, None, "TLSv1.3"),
    "tls-1.2": (tls(447), OK, None, "TLSv1.2"),
    "tls-verify": (tls(verify="CA", sni="good.test"), OK, None, ""),
    "tls-address": (tls(verify="CA"), OK, None, ""),
    "tls-by-name": (tls(verify="CA", sni="other.test"), OK, None, ""),
    "tls-other-name": (tls(verify="CA", sni="bad.test"), FAIL, "tls-verify", "[Hh]ostname"),
    "tls-unknown-authority": (tls(verify=True), FAIL, "tls-verify", ""),
    "tls-expired": (tls(444, verify="CA", sni="good.test"), FAIL, "tls-expired", ""),
    "tls-fail-days": (tls(445, expiry_fail_days=10), FAIL, "tls-expired", "in 9 days"),
    "tls-days-left": (tls(445, expiry_fail_days=9), OK, None, ""),
    "tls-certificate": (tls(446, client_cert="CLIENT"), OK, None, ""),
    "tls-alpn": (tls(448, alpn="http/1.1"), OK, None, ""),
    "tls-no-alpn": (tls(443, alpn="imap"), FAIL, "tls-alert", ""),
    "tls-to-http": (tls(80), FAIL, "tls-alert", ""),
    "tls-silent": (tls(9), FAIL, "timeout", ""),
    "tls-refused": (tls(81), FAIL, "connect-refused", ""),
    "tls-no-file": (tls(verify="/does/not/exist"), VOID, "check-broken", ""),
    "udp-echo": (udp(7, send="hello", expect="hell"), OK, None, ""),
    "udp-other-answer": (udp(7, send="hello", expect="x"), FAIL, "answer", ""),
    "udp-silent": (udp(9, send="hello", expect="hello"), FAIL, "udp-silent", ""),
    "udp-silence-is-golden": (udp(9, send="hello"), OK, None, "silent"),
    "udp-unreachable": (udp(8, send="hello"), FAIL, "udp-unreachable", ""),
    "dns": (dns(query_name="a.test", query_type="A"), OK, None, "NOERROR"),
    "dns-answer": (dns(query_name="a.test", query_type="A", expect_answer="10.0.0.1"), OK, None,
                   "NOERROR"),
    "dns-other-answer": (dns(query_name="a.test", query_type="A", expect_answer="10.0.0.2"), FAIL,
                         "dns-answer", ""),
    "dns-servfail": (dns(query_name="fail.test"), FAIL, "dns-rcode", "SERVFAIL"),
    "dns-nxdomain": (dns(query_name="b.test", expect_rcode="NXDOMAIN"), OK, None, "NXDOMAIN"),
    "ping": (http(80, "ping"), OK, None, ""),
    "exec": (command("/bin/true"), OK, None, ""),
    "exec-output": (shell("echo 3 rows; echo more"), OK, None, "^3 rows$"),
    "exec-failure": (shell("echo no leader >&2; exit 1"), FAIL, "exit-code", "1 no leader"),
    "exec-broken": (shell("exit 2"), VOID, "check-broken", "2"),
    "exec-missing": (command("/does/not/exist"), VOID, "check-broken", "127"),
    "exec-killed": (shell("kill -9 $$"), FAIL, "killed", "SIGKILL"),
    "exec-timeout": (shell("sleep 100 & sleep 100"), FAIL, "timeout", ""),
    "exec-environment": (shell('test "$NFLB_ADDRESS:$NFLB_PORT" = 10.1.0.1:80 -a -z "$HOME"'), OK,
                         None, ""),
    "exec-output-past-the-limit": (shell("exec head -c 100000 /dev/zero"), FAIL, "killed",
                                   "SIGPIPE"),
    "exec-no-capabilities": (shell("grep -q 'CapEff:.*0000000000000000' /proc/self/status"), OK,
                             None, ""),
    "exec-no-descriptors": (shell("ls /proc/self/fd | tr '\\n' ' '"), OK, None, "^0 1 2 3 $"),
    "no-device": (tcp(80, device="nothere"), VOID, "device-down", ""),
    "device": (tcp(80, device="lo"), OK, None, ""),
    "source": (path("echo", source="10.1.0.2"), OK, None, ""),
    "source-not-ours": (tcp(80, source="10.1.0.9"), VOID, "local", "Cannot assign"),
    "mark": (tcp(80, mark=5), OK, None, ""),
    "grpc": (http(8443, "grpc"), OK, None, "SERVING"),
    "grpc-service": (http(8443, "grpc", grpc_service="good"), OK, None, "SERVING"),
    "grpc-not-serving": (http(8443, "grpc", grpc_service="bad"), FAIL, "grpc-status",
                         "NOT_SERVING"),
    "grpc-unknown": (http(8443, "grpc", grpc_service="empty"), FAIL, "grpc-status", "UNKNOWN"),
    "grpc-not-found": (http(8443, "grpc", grpc_service="other"), FAIL, "grpc-status", "NOT_FOUND"),
    "grpc-unimplemented": (http(8443, "grpc", grpc_service="unimplemented"), FAIL, "grpc-status",
                           "UNIMPLEMENTED"),
    "grpc-no-status": (http(8443, "grpc", grpc_service="silent"), FAIL, "http-malformed",
                       "no grpc-status"),
    "grpc-long": (http(8443, "grpc", grpc_service="long"), FAIL, "grpc-status", "too long"),
    "grpc-malformed": (http(8443, "grpc", grpc_service="malformed"), FAIL, "grpc-status",
                       "malformed"),
    "grpc-503": (http(8443, "grpc", grpc_service="503"), FAIL, "http-status", "503"),
    "grpc-to-http": (http(80, "grpc"), FAIL, "http-malformed|reset", ""),
    "grpc-refused": (http(81, "grpc"), FAIL, "connect-refused", ""),
    "grpcs": (http(8444, "grpcs", verify="CA", sni="good.test"), OK, None, "SERVING"),
    "grpcs-other-name": (http(8444, "grpcs", verify="CA", sni="x.test"), FAIL, "tls-verify", ""),
    "grpcs-to-http-1.1": (http(448, "grpcs"), FAIL, "http-status|http-malformed", ""),
}

# Those that differ between the families, or have nothing to do with addresses
ONLY_4 = ("http-host", "source", "source-not-ours", "exec")


# --- certificates, by openssl ca, which can make them expire

CA_CONFIG = """[ca]
default_ca = x
[x]
dir = .
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


def certificate(directory, name, names, begin, end):
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name,
            "-addext", "subjectAltName=" + names)
    openssl(directory, "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile",
            "ca.key", "-in", name + ".csr", "-out", name + ".crt", "-notext",
            "-startdate", begin, "-enddate", end)
    with open(directory / (name + ".pem"), "w", encoding="ascii") as f:
        f.write((directory / (name + ".crt")).read_text() +
                (directory / (name + ".key")).read_text())


def date(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


def make_certificates(directory):
    (directory / "ca.cnf").write_text(CA_CONFIG)
    (directory / "index").write_text("")
    (directory / "serial").write_text("01\n")
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "3650")
    good = "DNS:good.test,IP:10.1.0.1,IP:fd00::1"
    certificate(directory, "good", good, date(-30), date(300.5))
    certificate(directory, "other", "DNS:other.test", date(-30), date(300.5))
    certificate(directory, "expired", good, date(-30), date(-3.5))
    certificate(directory, "soon", good, date(-30), date(9.5))
    certificate(directory, "client", "DNS:client.test", date(-30), date(300.5))


# --- the namespace

class Namespace:
    def __init__(self, directory):
        self.dir = directory
        self.started = []
        self.holder = self.start(["unshare", "-n" if ROOT else "-rn", "sh", "-c", (
            "ip link set lo up && ip addr add 10.1.0.1/32 dev lo && ip addr add 10.1.0.2/32 dev lo "
            "&& ip addr add fd00::1/128 dev lo nodad && echo '0 0' >/proc/sys/net/ipv4/"
            "ping_group_range; echo ready; exec cat")])
        self.line(self.holder)
        self.inside = ["nsenter", "-t", str(self.holder.pid), "-n"]
        if not ROOT:
            self.inside += ["-U", "--preserve-credentials"]

    def start(self, words, **keys):
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, **keys)
        self.started.append(process)
        return process

    def line(self, process):
        assert process.stdout.readline() == "ready\n"

    def nflbd(self, *words, **keys):
        return subprocess.run([*self.inside, NFLBD, *words], text=True, capture_output=True,
                              check=False, timeout=120, **keys)

    def stop(self):
        for process in reversed(self.started):
            process.terminate()
            process.communicate()


@pytest.fixture(scope="module")
def namespace(tmp_path_factory):
    directory = tmp_path_factory.mktemp("nflbd")
    os.chmod(directory.parent, 0o755)
    os.chmod(directory.parent.parent, 0o755)
    make_certificates(directory)
    ns = Namespace(directory)
    try:
        ns.line(ns.start([*ns.inside, sys.executable, HERE + "/servers.py", str(directory)]))
        yield ns
    finally:
        ns.stop()


def write(ns, services):
    name = ns.dir / "nflb.json"
    name.write_text(json.dumps({"services": services}))
    return str(name)


def service(number, port, check, address, protocol="tcp"):
    return {"protocol": protocol, "address": "192.0.2.1" if "." in address else "2001:db8::1",
            "port": number + 1, "backends": [{"address": address, "port": port}],
            "health-check": check}


def ends_by_time(case):
    return case[2] in ("timeout", "udp-silent") or "silent" in case[3]


def with_files(ns, check, seconds):
    files = {"CA": str(ns.dir / "ca.pem"), "CLIENT": str(ns.dir / "client.pem")}
    check = {k: files.get(v, v) if isinstance(v, str) else v for k, v in check.items()}
    check["criteria"] = {"timeout": seconds}
    return check


def run_some(ns, address, cases, seconds):
    services = [service(i, case[0][0], with_files(ns, case[0][1], seconds), address,
                        "udp" if case[0][1]["protocol"] in ("udp", "dns") else "tcp")
                for i, case in enumerate(cases.values())]
    done = ns.nflbd("--json", "--once", write(ns, services))
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    assert done.returncode == 4, (done.returncode, done.stderr)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(cases)
    return dict(zip(cases, results))


def run_cases(ns, address):
    """Those that end by their timeout by themselves: a busy checker would be late."""
    timed = {n: c for n, c in CASES.items() if ends_by_time(c)}
    others = {n: c for n, c in CASES.items() if n not in timed}
    return {**run_some(ns, address, others, 30), **run_some(ns, address, timed, 2)}


@pytest.fixture(scope="module")
def results4(namespace):
    return run_cases(namespace, "10.1.0.1")


@pytest.fixture(scope="module")
def results6(namespace):
    return run_cases(namespace, "fd00::1")


def judge(name, result):
    _, outcome, reason, detail = CASES[name]
    if name.startswith("exec") and not ROOT:
        pytest.skip("commands run as nobody")
    assert result["result"] == outcome, result
    assert re.fullmatch(reason or "", result.get("reason", "")), result
    assert re.search(detail, result.get("detail", "")), result


@pytest.mark.parametrize("name", CASES)
def test_ipv4(results4, name):
    judge(name, results4[name])


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith(ONLY_4)])
def test_ipv6(results6, name):
    judge(name, results6[name])


def test_what_else_a_result_has(results4):
    assert results4["http-drain"]["weight"] == 0
    assert results4["http-weight"]["weight"] == 60    # in steps of 10
    assert results4["http"]["weight"] == 100
    assert results4["https"]["expires-days"] == results4["tls"]["expires-days"] == 300
    assert results4["tls-expired"].get("expires-days") is None
    assert results4["https-expired-unverified"]["expires-days"] == -4
    assert "expires-days" not in results4["http"]
    assert 1900 < results4["http-hang"]["milliseconds"] < 20000


def test_dns_over_tcp(namespace):
    check = {"protocol": "dns", "query-name": "a.test", "query-type": "A",
             "expect-answer": "10.0.0.1"}
    done = namespace.nflbd("--once", write(namespace, [service(1, 53, check, "10.1.0.1")]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"tcp 192\.0\.2\.1:2 -> 10\.1\.0\.1:53  success  dns NOERROR in "
                        r"[0-9.]+ ms\n", done.stdout), done.stdout


def test_order_and_what_is_not_checked(namespace):
    services = [service(i, 80, {}, "10.1.0.1") for i in range(3)]
    services[1]["health-check"] = {"protocol": "none"}
    services[2]["backends"].append({"address": "10.1.0.2", "state": "down"})
    services.append({"protocol": "tcp", "address": "192.0.2.1", "port": 9})
    done = namespace.nflbd("-j", "-1", write(namespace, services))
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(s["service"], s["backend"], s["result"], s.get("detail")) for s in seen] == [
        ("tcp 192.0.2.1:1", "10.1.0.1:80", "success", None),
        ("tcp 192.0.2.1:2", "10.1.0.1:80", "not checked", "protocol none"),
        ("tcp 192.0.2.1:3", "10.1.0.1:80", "success", None),
        ("tcp 192.0.2.1:3", "10.1.0.2", "not checked", "state down")]


def test_path_without_the_module(namespace):
    """A check that asks for the module is none without it; one that does not is direct."""
    services = [service(1, 80, {"via": "path"}, "10.1.0.1"), service(2, 80, {}, "10.1.0.1")]
    services[1]["mode"] = "dsr"
    services[1]["port"] = 80
    done = namespace.nflbd("--json", "--once", write(namespace, services))
    assert done.returncode == 4, done.stderr
    explicit, auto = [json.loads(line) for line in done.stdout.splitlines()]
    assert explicit["result"] == "not checked", explicit
    assert explicit["detail"].startswith("via: the module nflb is not loaded"), explicit
    assert (auto["result"], auto["via"]) == ("success", "direct"), auto
    done = namespace.nflbd("--once", write(namespace, services))
    assert "-> 10.1.0.1:80  not checked  via: the module nflb is not loaded" in done.stdout


def test_late_loop_is_void(namespace):
    """A checker that was held up knows nothing of the backend."""
    check = {"protocol": "http", "request-path": "/hang", "criteria": {"timeout": 0.5}}
    name = write(namespace, [service(1, 80, check, "10.1.0.1")])
    process = subprocess.Popen([*namespace.inside, NFLBD, "-j", "--once", name], text=True,
                               stdout=subprocess.PIPE)
    deadline = time.monotonic() + 10
    while subprocess.run([*namespace.inside, "sh", "-c",
                          "ss -Htnp state established dport = :80 | grep -q nflbd"],
                         check=False).returncode:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    process.send_signal(signal.SIGCONT)
    result = json.loads(process.communicate(timeout=20)[0])
    assert (result["result"], result["reason"]) == ("void", "late"), result


def test_descriptors_run_out(namespace):
    """Void, and no failure; others go on."""
    check = {"protocol": "tcp", "expect": "x"}
    # Equal checks would be one.
    services = [service(i, 9, {**check, "criteria": {"timeout": 0.5 + i / 1000}}, "10.1.0.1")
                for i in range(60)]
    done = subprocess.run([*namespace.inside, "prlimit", "--nofile=40:40", "setpriv",
                           "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", NFLBD,
                           "-j", "--once", write(namespace, services)], text=True,
                          capture_output=True, check=False)
    reasons = {json.loads(line)["reason"] for line in done.stdout.splitlines()}
    # On a busy machine, the checker may be late for those that have a socket.
    assert "no-descriptor" in reasons and reasons <= {"timeout", "late", "no-descriptor"}
    assert "40 descriptors, of " in done.stderr


def test_environment_changes_nothing(namespace):
    env = {**os.environ, "http_proxy": "http://192.0.2.99:3128", "ALL_PROXY": "socks5://x:1"}
    done = namespace.nflbd("--once", write(namespace, [service(
        1, 80, {"protocol": "http"}, "10.1.0.1")]), env=env)
    assert done.returncode == 0, done.stdout


# --- files and options

def run(*words, text=None):
    return subprocess.run([NFLBD, *words], input=text, text=True, capture_output=True,
                          check=False)


def test_check_a_file(tmp_path):
    good = json.dumps({"services": [service(1, 80, {"protocol": "http"}, "10.1.0.1")]})
    assert run("--check", "-", text=good).returncode == 0
    bad = good.replace('"http"', '"htpp"')
    done = run("--check", "-", text=bad)
    assert done.returncode == 1
    assert done.stderr.startswith("nflbd: -:1:%d: protocol: " % (bad.index('"htpp"') + 1))
    assert run("--once", "/does/not/exist").returncode == 1
    done = run("--once", "-", text=bad)
    assert done.returncode == 1 and not done.stdout


@pytest.mark.parametrize("text,message", [
    ('{"max-in-flight": 0}', "1:19: max-in-flight: a number from 1 to 65536 is expected"),
    ('{"max-in-flight": "1"}', "1:19: max-in-flight: a number is expected"),
    ('{"max-checks-per-second": 1000001}',
     "1:27: max-checks-per-second: a number from 1 to 1000000 is expected"),
    ('{\n "max-command": 1}', '2:2: unknown key "max-command"; did you mean max-commands?'),
    ("{", "1:1: "), ("[]", "1:1: the file is an object")])
def test_settings(tmp_path, text, message):
    name = tmp_path / "nflbd.json"
    name.write_text(text)
    done = run("--settings", str(name), "--once", "/dev/null")
    assert done.returncode == 1
    assert done.stderr.startswith("nflbd: %s:%s" % (name, message)), done.stderr


def test_limits_hold(namespace, tmp_path):
    """At most so many at a time, and so many a second."""
    name = tmp_path / "nflbd.json"
    file = write(namespace, [service(i, 80, {
        "protocol": "http", "request-path": "/slowly", "headers": {"X-Number": str(i)}},
                                     "10.1.0.1") for i in range(4)])
    for text, least in (('{"max-in-flight": 1}', 1.2), ('{"max-checks-per-second": 2}', 1.5)):
        name.write_text(text)
        begin = time.monotonic()
        done = namespace.nflbd("--settings", str(name), "--once", file)
        assert done.returncode == 0, done.stdout
        assert time.monotonic() - begin > least


def test_options():
    assert run("--version").stdout.startswith("nflbd ")
    assert run("--help").returncode == 0
    assert run("--nonsense").returncode == 1
    assert run("nonsense").returncode == 1
    with open(os.path.join(HERE, "../../docs/man/nflbd.8"), encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    for option in re.findall(r"--[a-z]+", run("--help").stdout):
        assert option in page, option
