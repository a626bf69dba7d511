// What may hide a second request is refused, and nothing behind it is ever answered.
#include "entrepot/oci/refusal.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http::framing_test {
namespace {

using std::chrono::milliseconds;

std::size_t answers_in(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find("HTTP/1.1 "); at != std::string_view::npos;
       at = text.find("HTTP/1.1 ", at + 1)) {
    ++count;
  }
  return count;
}

struct Refused {
  std::string_view what;
  std::string request;
  int status;
};

std::string with(std::string_view fields, std::string_view method = "GET") {
  return std::string(method) + " /v2/ HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

void expect_refused(const std::vector<Refused>& cases) {
  Loopback server(echo);
  const std::string smuggled = get("/smuggled");
  for (const auto& each : cases) {
    const auto text = converse(server, each.request + smuggled);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 " + std::to_string(each.status) + " "))
        << each.what << ": " << text.substr(0, 40);
    EXPECT_EQ(answers_in(text), 1U) << each.what;
    EXPECT_TRUE(text.contains("Connection: close")) << each.what;
    EXPECT_FALSE(text.contains("smuggled")) << each.what;
  }
}

// Rows: H-01, H-02, H-03, H-04, H-05, H-06
TEST(Framing, ambiguous_bodies_are_refused) {
  const std::string te = "Transfer-Encoding: ";
  expect_refused({
      {"H-01", with(te + "gzip\r\nContent-Length: 5\r\n") + "hello", 400},
      {"H-01 reversed", with("Content-Length: 5\r\n" + te + "gzip\r\n") + "hello", 400},
      {"H-02", with(te + "chunked, gzip\r\n") + "0\r\n\r\n", 400},
      {"H-03 identity", with(te + "identity\r\n"), 400},
      {"H-03 xchunked", with(te + "xchunked\r\n"), 400},
      {"H-03 gzip", with(te + "gzip\r\n"), 400},
      {"H-03 empty", with(te + "\r\n"), 400},
      {"H-03 quoted", with(te + "\"chunked\"\r\n"), 400},
      {"H-03 parameter", with(te + "chunked;q=1\r\n"), 400},
      {"H-04", with(te + "gzip, chunked\r\n") + "0\r\n\r\n", 501},
      {"H-05", "GET / HTTP/1.0\r\n" + te + "chunked\r\n\r\n0\r\n\r\n", 400},
      {"H-06 list", with("Content-Length: 5, 5\r\n") + "hello", 400},
      {"H-06 twice", with("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello", 400},
  });
}

// Rows: H-07
TEST(Framing, what_the_parser_rejects_by_itself_stays_rejected) {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  expect_refused({
      {"length and chunked", with("Content-Length: 5\r\n" + te) + "0\r\n\r\n", 400},
      {"chunked and length", with(te + "Content-Length: 5\r\n") + "0\r\n\r\n", 400},
      {"chunked twice", with(te + te) + "0\r\n\r\n", 400},
      {"lengths differ", with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"+5", with("Content-Length: +5\r\n"), 400},
      {"-1", with("Content-Length: -1\r\n"), 400},
      {"0x5", with("Content-Length: 0x5\r\n"), 400},
      {"5 5", with("Content-Length: 5 5\r\n"), 400},
      {"overflow", with("Content-Length: 18446744073709551616\r\n"), 400},
      {"empty", with("Content-Length:\r\n"), 400},
      {"bare LF", "GET / HTTP/1.1\nHost: h\n\n", 400},
      {"bare LF in fields", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
      {"space before colon", with("Content-Length : 5\r\n"), 400},
      {"no colon", with("Content-Length\r\n"), 400},
      {"NUL in value", with(std::string("X: a\0b\r\n", 8)), 400},
      {"CR in value", with("X: a\rb\r\n"), 400},
      {"bad version", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"TLS", "\x16\x03\x01\x02\x05\x01", 400},
      {"chunk size", with(te) + "5x\r\nhello\r\n0\r\n\r\n", 400},
      {"chunk size empty", with(te) + "\r\nhello\r\n0\r\n\r\n", 400},
      {"chunk size signed", with(te) + "+5\r\nhello\r\n0\r\n\r\n", 400},
      {"chunk size 0x", with(te) + "0x5\r\nhello\r\n0\r\n\r\n", 400},
      {"chunk size spaced", with(te) + "5 \r\nhello\r\n0\r\n\r\n", 400},
      {"chunk size overflow", with(te) + "10000000000000000\r\nhello\r\n0\r\n\r\n", 400},
      {"chunk bare LF", with(te) + "5\nhello\r\n0\r\n\r\n", 400},
      {"chunk extension bare LF", with(te) + "5;a\nhello\r\n0\r\n\r\n", 400},
      {"chunk without end", with(te) + "5\r\nhelloX\r\n0\r\n\r\n", 400},
      {"trailer bare LF", with(te) + "0\r\nX: y\n\r\n", 400},
  });
}

// Rows: H-08
TEST(Framing, host_is_one_and_only_a_host) {
  std::vector<Refused> cases = {{"none", "GET / HTTP/1.1\r\n\r\n", 400}};
  for (const std::string_view host : {"", "a/b", "user@a", "a b", "a:b", "a:70000", "a,b", "[::1",
                                      "[]", "[::1]x", "http://a", "a\tb", "a?b", "a#b", ":80"}) {
    cases.push_back({host, "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", 400});
  }
  cases.push_back({"two", with("Host: h\r\n"), 400});
  expect_refused(cases);
  Loopback server(echo);
  for (const std::string_view host :
       {"a", "a.example", "a_b:5000", "127.0.0.1:5000", "[::1]:5000", "[fe80::1]", "a:"}) {
    const auto text = converse(
        server, "GET / HTTP/1.1\r\nConnection: close\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_TRUE(text.starts_with("HTTP/1.1 200 ")) << host;
  }
}

std::string many_fields(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": y\r\n";
  return fields;
}

// Rows: H-09
TEST(Framing, folded_and_oversized_heads_are_refused) {
  std::string total;
  for (int i = 0; i < 8; ++i) total += "X: " + std::string(5000, 'y') + "\r\n";
  expect_refused({
      {"fold", with("X: a\r\n b\r\n"), 400},
      {"fold by tab", with("X: a\r\n\tb\r\n"), 400},
      {"fold of the first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"long line", with("X: " + std::string(8200, 'y') + "\r\n"), 431},
      {"line without end", "GET /" + std::string(10'000, 'y'), 431},
      {"many fields", with(many_fields(64)), 431},
      {"large", with(total), 431},
  });
  Loopback server(echo);
  EXPECT_TRUE(converse(server, with(many_fields(62) + "Connection: close\r\n")).contains(" 200 "));
  EXPECT_TRUE(converse(server, with("Connection: close\r\nX: " + std::string(8000, 'y') + "\r\n"))
                  .contains(" 200 "));
}

// Rows: H-10
TEST(Framing, targets_and_methods_of_a_proxy_are_refused) {
  expect_refused({
      {"other host", "GET http://other/v2/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"other scheme", "GET ftp://h/v2/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"userinfo", "GET http://u@h/v2/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"connect", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405},
      {"trace", with("", "TRACE"), 405},
      {"unknown", with("", "BREW"), 405},
      {"lower case", with("", "get"), 405},
      {"authority-form", "GET h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 400},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"raw byte", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"traversal", "GET /v2/../x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"expectation", with("Expect: 200-ok\r\n"), 417},
  });
  Loopback server(echo);
  RawClient client(server);
  client.send("GET http://H/v2/x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.receive().body, "GET /v2/x");
  client.send("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.receive().headers.at("allow"), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

TEST(Framing, a_refused_head_request_gets_no_body) {
  Loopback server(echo);
  const auto text = converse(server, "HEAD /v2/../x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

async::Task<Reply> echo_credentials(const Request& request) {
  const auto secret = request.headers.get("Authorization").value_or("none");
  co_return text_reply(200, "text/plain", std::string(secret));
}

// Rows: H-11
TEST(Framing, trailers_are_never_merged_and_extensions_are_bounded) {
  Loopback server(echo_credentials);
  RawClient client(server);
  const std::string te = "Transfer-Encoding: Chunked \r\n";
  client.send(with(te) +
              "5;a=b\r\nhello\r\n0;c\r\nAuthorization: evil\r\nContent-Length: 9\r\n\r\n" +
              get("/next"));
  EXPECT_EQ(client.receive().body, "none");
  EXPECT_EQ(client.receive().body, "none");
  std::string many;
  for (int i = 0; i < 5; ++i) many += "1;" + std::string(250, 'x') + "\r\nz\r\n";
  expect_refused({
      {"long extension", with(te) + "5;" + std::string(257, 'x') + "\r\nhello\r\n0\r\n\r\n", 400},
      {"many extensions", with(te) + many + "0\r\n\r\n", 400},
      {"long trailers", with(te) + "0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 400},
  });
}

// Rows: H-12
TEST(Framing, unwanted_bodies_are_drained_or_refused) {
  Loopback server(echo);
  const auto inner = get("/inner");
  const auto length = [](std::size_t size) {
    return "Content-Length: " + std::to_string(size) + "\r\n";
  };
  for (const std::string_view method : {"GET", "HEAD", "DELETE", "POST"}) {
    RawClient client(server);
    const std::string body = inner + std::string(64 * 1024 - inner.size(), 'b');
    client.send(with(length(body.size()), method) + body + get("/after"));
    EXPECT_EQ(client.receive(method != "HEAD").status, 200) << method;
    EXPECT_EQ(client.receive().body, "GET /after") << method;
  }
  const std::string large(64 * 1024 + 1, 'b');
  expect_refused({
      {"too large", with(length(large.size())) + large, 413},
      {"too large, not sent", with(length(1 << 30)), 413},
      {"too large in chunks",
       with("Transfer-Encoding: chunked\r\n") + "10001\r\n" + large + "\r\n0\r\n\r\n", 413},
  });
}

TEST(Framing, a_large_upload_hears_the_handler_and_loses_the_connection) {
  Loopback server(echo);
  RawClient client(server);
  client.send(with("Content-Length: 1000000\r\n", "PUT") + std::string(300'000, 'b'));
  const auto answer = client.receive();
  EXPECT_EQ(answer.body, "PUT /v2/");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  client.end_writing();
  EXPECT_EQ(client.ending(), Ending::end);
}

// Rows: H-13
TEST(Framing, a_thousand_pipelined_requests_up_to_the_malformed_one) {
  Loopback server(echo);
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += i == 499 ? "GET /bad HTTP/1.1\r\nHost : h\r\n\r\n" : get("/" + std::to_string(i));
  }
  RawClient client(server);
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 499; ++i) {
    const auto answer = client.receive();
    ASSERT_EQ(answer.body, "GET /" + std::to_string(i));
  }
  EXPECT_EQ(client.receive().status, 400);
  EXPECT_EQ(client.receive_all(), "");
  sender.join();
  EXPECT_EQ(server.observed(500).size(), 500U);
}

async::Task<Reply> deny(const Request&) {
  throw oci::Refusal(oci::ErrorCode::unauthorized, "who are you");
  co_return Reply();
}

// Rows: H-14
TEST(Framing, expect_continue_is_answered_without_reading_the_body) {
  Loopback server(deny);
  RawClient client(server);
  client.send(with("Expect: 100-continue\r\nContent-Length: 1000000\r\n", "PUT"));
  const auto answer = client.receive();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  client.end_writing();
  EXPECT_EQ(client.ending(), Ending::end);
}

// Rows: H-15
TEST(Framing, any_split_gives_the_same_answers) {
  Loopback server(echo);
  const std::string requests = "\r\n" + get("/a") + with("Content-Length: 5\r\n", "DELETE") +
                               "hello" + with("Transfer-Encoding: chunked\r\n") +
                               "3;x\r\nabc\r\n0\r\nX: y\r\n\r\n" +
                               "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/../bad");
  const auto comparable = [](std::string text) {
    for (const std::string_view name : {"Date: ", "X-Request-Id: "}) {
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        text.erase(at, text.find("\r\n", at) - at);
      }
    }
    return text;
  };
  const auto expected = comparable(converse(server, requests));
  EXPECT_EQ(answers_in(expected), 5U);
  for (std::size_t split = 1; split < requests.size(); ++split) {
    RawClient client(server);
    client.send(requests.substr(0, split));
    std::this_thread::sleep_for(milliseconds(1));
    client.send(requests.substr(split));
    ASSERT_EQ(comparable(client.receive_all()), expected) << "split at " << split;
  }
  RawClient client(server);
  for (const char c : requests) {
    client.send(std::string_view(&c, 1));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_EQ(comparable(client.receive_all()), expected);
}

}  // namespace
}  // namespace entrepot::http::framing_test
