// One question to one URL of an upstream, with what it takes to get it answered: authentication
// and redirects. The request is built here from nothing; no client's header is in it. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/async/task.hpp"
#include "upstream/authenticator.hpp"
#include "upstream/setback.hpp"

namespace entrepot::upstream {

enum class BodyUse { stream, text };
// Among whom a question waits for its turn.
enum class Queue { questions, transfers };

struct Question {
  std::string_view kind;  // for metrics: manifest, blob …; a literal
  std::string method = "GET";
  std::string repository{};
  std::string path{};  // behind /v2/<repository>
  std::string query{};
  std::string accept{};
  std::optional<std::uint64_t> from{};  // Range: bytes=<from>-
  std::optional<std::uint64_t> to{};    // the last byte wanted
  BodyUse body = BodyUse::text;
  Queue queue = Queue::questions;
  // Of one that waits among the transfers; absent: as long as it takes.
  std::optional<std::chrono::milliseconds> patience{};
  std::size_t most = 0;                // of a text
  std::optional<std::size_t> avoid{};  // the URL to ask last
  // Why a successful head cannot be true (captive portals answer 200 too); may be null.
  std::optional<std::string> (*doubt)(const http::Response&) = nullptr;
};

// A 200 or 206; to HEAD also the refusal of a server that does not answer it.
struct Reply {
  std::unique_ptr<http::Response> response;
  http::Url url;     // that answered, after redirects
  std::string text;  // BodyUse::text
};

class Exchange {
 public:
  Exchange(const OriginSet& origins, Authenticator& authenticator, http::Client& client,
           const base::Clock& clock, base::Metrics& metrics)
      : origins_(origins),
        authenticator_(authenticator),
        client_(client),
        clock_(clock),
        metrics_(metrics) {}

  async::Task<Try<Reply>> ask(http::Url upstream, Question question);

 private:
  async::Task<Try<Reply>> follow(http::Url upstream, Question question, std::string authorization);
  async::Task<Try<Reply>> send(http::Url url, Question question, std::string authorization);
  async::Task<Try<Reply>> judge(http::Url upstream, Question question, Reply reply);

  const OriginSet& origins_;
  Authenticator& authenticator_;
  http::Client& client_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
};

}  // namespace entrepot::upstream
