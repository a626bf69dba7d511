// TLS as clients meet it, and keys that change under running connections.
#include <gmock/gmock.h>
#include <sys/mman.h>

#include "unit/http/tls_client.hpp"

namespace entrepot::http::tls_test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

TlsOptions options_of(const KeyPair& pair) {
  TlsOptions options;
  options.certificate = pair.certificate;
  options.key = pair.key;
  return options;
}

Listener listener_of(std::shared_ptr<TlsKeys> keys) {
  return {.address = "127.0.0.1:0", .tls = std::move(keys)};
}

// "/upload": how much came, and of what; "/file…": megabytes from a file; else who the client is.
async::Task<Reply> serve(std::shared_ptr<const base::UniqueFd> file, std::uint64_t size,
                         const Request& request) {
  if (request.method == "PUT") {
    std::string body;
    for (;;) {
      const auto piece = co_await request.body->next();
      if (piece.empty()) break;
      body += base::as_text(piece);
    }
    co_return text_reply(200, "text/plain", body == pattern(body.size()) ? "same" : "other");
  }
  Reply reply;
  if (request.target.path == "/file") {
    reply.body.emplace_back(SourcePart{async::file_source(std::move(file), size), 0, size});
    co_return reply;
  }
  const std::string via = request.via == Via::tls ? "tls " : "plain ";
  co_return text_reply(200, "text/plain", via + request.origin + " " + request.client_certificate);
}

Handler handler(std::string_view content = "", std::uint64_t size = 0) {
  auto file = std::make_shared<const base::UniqueFd>(::memfd_create("body", MFD_CLOEXEC));
  EXPECT_EQ(::write(file->get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return [file, size](const Request& request) { return serve(file, size, request); };
}

struct TlsServer {
  explicit TlsServer(Handler serving = handler(), ServerLimits limits = {})
      : keys(std::make_shared<TlsKeys>(options_of(authority.issue("server", {"one"})))),
        loopback(std::move(serving), listener_of(keys), limits) {}

  Authority authority;
  std::shared_ptr<TlsKeys> keys;
  Loopback loopback;
};

TEST(Tls, answers_request_after_request) {
  TlsServer server;
  TlsClient client(server.loopback, {.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(SSL_version(client.ssl()), TLS1_3_VERSION);
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(client.ssl(), &protocol, &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), length), "http/1.1");
  for (int i = 0; i < 3; ++i) {
    client.send(get("/") + get("/"));
    EXPECT_EQ(client.receive_body(), "tls https://h ");
    EXPECT_EQ(client.receive_body(), "tls https://h ");
  }
  const auto observed = server.loopback.observed(6);
  EXPECT_EQ(observed[5].bytes, 14U) << "bytes are those of the answer, not of TLS";
}

TEST(Tls, old_versions_and_other_protocols_are_refused) {
  TlsServer server;
  EXPECT_TRUE(TlsClient(server.loopback, {.highest = TLS1_2_VERSION}).connected());
  EXPECT_FALSE(
      TlsClient(server.loopback, {.lowest = TLS1_VERSION, .highest = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsClient(server.loopback, {.protocols = "\x02h2"}).connected());
  RawClient plain(server.loopback);
  plain.send(get("/"));
  const auto text = plain.receive_all();
  EXPECT_THAT(text, HasSubstr("this port speaks HTTPS"));
  TlsClient after(server.loopback);
  after.send(get("/"));
  EXPECT_EQ(after.receive_body(), "tls https://h ");
}

TEST(Tls, renegotiation_is_refused) {
  TlsServer server;
  TlsClient client(server.loopback, {.highest = TLS1_2_VERSION});
  ASSERT_TRUE(client.connected());
  const timeval little_patience{.tv_sec = 0, .tv_usec = 100'000};
  ::setsockopt(client.raw().fd(), SOL_SOCKET, SO_RCVTIMEO, &little_patience,
               sizeof little_patience);
  SSL_renegotiate(client.ssl());
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
}

TEST(Tls, bodies_of_any_size_go_both_ways) {
  for (const std::size_t size : {1U, 16'384U, 16'385U, 65'537U, 3'000'000U}) {
    const auto content = pattern(size);
    TlsServer server(handler(content, size));
    TlsClient client(server.loopback);
    for (int i = 0; i < 2; ++i) {
      client.send("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) +
                  "\r\n\r\n" + content + get("/file"));
      EXPECT_EQ(client.receive_body(), "same") << size;
      EXPECT_TRUE(client.receive_body() == content) << size;
    }
  }
}

TEST(Tls, what_ends_well_says_so_and_what_fails_midway_does_not) {
  const auto content = pattern(1'000'000);
  TlsServer server(handler(content, content.size() + 1));
  bool clean = false;
  TlsClient closing(server.loopback);
  closing.send(get("/", "Connection: close\r\n"));
  EXPECT_THAT(closing.receive_all(clean), HasSubstr("tls https"));
  EXPECT_TRUE(clean);
  TlsClient truncated(server.loopback);
  truncated.send(get("/file"));
  truncated.receive_all(clean);
  EXPECT_FALSE(clean);
  EXPECT_FALSE(server.loopback.observed(2)[1].complete);
}

TEST(Tls, a_reader_may_dawdle) {
  const auto content = pattern(8'000'000);
  TlsServer server(handler(content, content.size()));
  TlsClient slow(server.loopback);
  TlsClient quick(server.loopback);
  slow.send(get("/file"));
  quick.send(get("/file"));
  EXPECT_TRUE(quick.receive_body() == content);
  EXPECT_TRUE(slow.receive_body() == content);
}

TEST(Tls, a_client_is_known_by_its_certificate) {
  const Authority ours;
  const Authority theirs;
  for (const auto clients : {TlsOptions::Clients::may_present, TlsOptions::Clients::must_present}) {
    auto options = options_of(ours.issue("server", {"one"}));
    options.client_ca = ours.ca();
    options.clients = clients;
    Loopback server(handler(), listener_of(std::make_shared<TlsKeys>(options)));
    const auto seen = [&](const TlsWishes& wishes) {
      TlsClient client(server, wishes);
      client.send(get("/"));
      return client.receive_body();
    };
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const TlsWishes known{.present = ours.issue("alice", {"alice"}), .highest = version};
      EXPECT_EQ(seen(known), "tls https://h alice");
      const bool must = clients == TlsOptions::Clients::must_present;
      EXPECT_EQ(seen({.highest = version}), must ? "" : "tls https://h ");
      const TlsWishes unknown{.present = theirs.issue("mallory", {"alice"}), .highest = version};
      EXPECT_EQ(seen(unknown), "");
      const TlsWishes two{.present = ours.issue("two", {"alice", "root"}), .highest = version};
      EXPECT_EQ(seen(two), "tls https://h ");
      const TlsWishes odd{.present = ours.issue("odd", {std::string("alice\0root", 10)}),
                          .highest = version};
      EXPECT_EQ(seen(odd), "tls https://h ");
    }
  }
}

TEST(Tls, a_resumed_session_keeps_its_name) {
  const Authority ours;
  auto options = options_of(ours.issue("server", {"one"}));
  options.client_ca = ours.ca();
  Loopback server(handler(), listener_of(std::make_shared<TlsKeys>(options)));
  TlsWishes wishes{.present = ours.issue("alice", {"alice"})};
  TlsClient first(server, wishes);
  first.send(get("/"));
  EXPECT_EQ(first.receive_body(), "tls https://h alice");
  wishes.resume = SSL_get1_session(first.ssl());
  TlsClient second(server, wishes);
  EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
  second.send(get("/"));
  EXPECT_EQ(second.receive_body(), "tls https://h alice");
  SSL_SESSION_free(wishes.resume);
}

TEST(Tls, new_keys_are_for_new_connections) {
  TlsServer server;
  TlsClient old(server.loopback);
  EXPECT_EQ(old.server_name(), "one");
  EXPECT_TRUE(server.keys->reload_if_changed());
  server.authority.issue("server", {"two"});
  EXPECT_TRUE(server.keys->reload_if_changed());
  TlsClient fresh(server.loopback);
  EXPECT_EQ(fresh.server_name(), "two");
  old.send(get("/"));
  EXPECT_EQ(old.receive_body(), "tls https://h ");
  server.authority.issue("server", {"three"});
  server.keys->reload();
  EXPECT_EQ(TlsClient(server.loopback).server_name(), "three");
}

TEST(Tls, keys_that_do_not_fit_are_refused_with_a_sentence) {
  TlsServer server;
  const auto other = server.authority.issue("other", {"other"});
  std::filesystem::rename(other.key, server.authority.dir() / "server.key");
  try {
    server.keys->reload();
    ADD_FAILURE() << "a pair that does not fit";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("does not belong to the certificate"));
    EXPECT_THAT(e.what(), HasSubstr("server.key"));
  }
  std::filesystem::rename(other.certificate, server.authority.dir() / "unrelated.pem");
  std::ofstream(server.authority.dir() / "server.key") << "nonsense";
  EXPECT_FALSE(server.keys->reload_if_changed());
  EXPECT_TRUE(server.keys->reload_if_changed()) << "nothing changed since it was looked at";
  EXPECT_EQ(TlsClient(server.loopback).server_name(), "one");
  const struct {
    KeyPair pair;
    std::string ca;
    std::string sentence;
  } wrong[] = {
      {{"/none.pem", "/none.key"}, "", "certificate /none.pem: No such file"},
      {{server.authority.ca(), "/none.key"}, "", "key /none.key: No such file"},
      {{server.authority.ca(), server.authority.ca()}, "", "cannot use the key"},
      {server.authority.issue("fine", {"fine"}), "/none.pem", "authorities of clients /none.pem"},
  };
  for (const auto& each : wrong) {
    auto options = options_of(each.pair);
    options.client_ca = each.ca;
    try {
      const TlsKeys keys(options);
      ADD_FAILURE() << each.sentence;
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), HasSubstr(each.sentence));
    }
  }
}

// Rows: R-01
TEST(Tls, a_handshake_that_dawdles_is_ended) {
  TlsServer server(handler(), {.header = milliseconds(80)});
  RawClient silent(server.loopback);
  RawClient halfway(server.loopback);
  halfway.send("\x16\x03\x01\x02\x05\x01");
  EXPECT_EQ(silent.ending(), Ending::end);
  EXPECT_NE(halfway.ending(), Ending::timeout);
  EXPECT_TRUE(Loopback::wait_until([&] { return server.loopback.opened() == 0; }));
}

TEST(Tls, many_handshakes_at_once_all_come_through) {
  TlsServer server;
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&] {
      TlsClient client(server.loopback);
      client.send(get("/"));
      if (client.receive_body() == "tls https://h ") ++answered;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 32);
}

TEST(Tls, clients_may_leave_anywhere) {
  const auto content = pattern(3'000'000);
  TlsServer server(handler(content, content.size()));
  for (std::size_t i = 0; i < 60; ++i) {
    TlsClient client(server.loopback);
    client.send(get("/file"));
    if (i % 3 != 0) client.receive_some(i * i * 20);
    client.raw().close();
  }
  EXPECT_TRUE(Loopback::wait_until([&] { return server.loopback.opened() == 0; }));
}

}  // namespace
}  // namespace entrepot::http::tls_test
