// A Remote in front of scripted servers, with everything it needs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/upstream/feed.hpp"
#include "entrepot/upstream/remote.hpp"
#include "support/fake_upstream.hpp"
#include "support/run_task.hpp"

namespace entrepot::upstream {

class Lab {
 public:
  Lab() {
    options.name = "lab";
    options.urls = {server.url()};
    options.transport.connect = std::chrono::seconds(2);
    options.transport.first_byte = std::chrono::seconds(2);
    options.transport.idle = std::chrono::seconds(2);
  }

  // Made at the first call, of the options as they are then.
  registry::Source& remote() {
    if (!remote_) remote_ = connect(options, client_, pool_, base::system_clock(), metrics);
    return *remote_;
  }
  registry::Place& place() {
    if (!peer_.place) peer_ = connect_peer(options, client_, pool_, base::system_clock(), metrics);
    return *peer_.place;
  }
  registry::Feed& feed() {
    place();
    return *peer_.feed;
  }

  template <class T>
  T run(async::Task<T> task) {
    return test::run_on(context, std::move(task));
  }

  test::FakeUpstream server;
  RemoteOptions options;
  base::Metrics metrics;
  boost::asio::io_context context{1};

 private:
  http::Client client_;
  async::BlockingPool pool_{1};
  std::unique_ptr<registry::Source> remote_;
  Peer peer_;
};

inline oci::RepositoryName app() { return *oci::RepositoryName::parse("library/app"); }
inline oci::Reference at(std::string_view text) { return *oci::Reference::parse(text); }
inline oci::Digest digest_of(std::string_view content) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(content));
}

inline const std::string oci_type = "application/vnd.oci.image.manifest.v1+json";
inline const std::string index_type = "application/vnd.oci.image.index.v1+json";

inline test::Action manifest_reply(const std::string& bytes) {
  return test::reply(
      200, bytes, {{"Content-Type", oci_type}, {"Docker-Content-Digest", digest_of(bytes).text()}});
}

// Answers with `inner` only when the request carries this Authorization header, else 401 and
// `challenge`.
inline test::Action guarded(std::string authorization, std::string challenge, test::Action inner) {
  return [=](test::Exchange& exchange) {
    if (exchange.request.header("Authorization") == authorization) return inner(exchange);
    test::reply(401, "{}", {{"WWW-Authenticate", challenge}})(exchange);
  };
}

// Reads a blob from `offset` to its end; the Refusal's text when it fails.
inline async::Task<std::string> read_rest(registry::BlobContent content, std::uint64_t offset) {
  std::string all;
  while (offset < content.bytes->size()) {
    const auto chunk = co_await content.bytes->read_at(offset, 100'000);
    const auto& slice = std::get<async::MemorySlice>(chunk);
    all += base::as_text(slice.bytes);
    offset += slice.bytes.size();
  }
  co_return all;
}

}  // namespace entrepot::upstream
