// One question to one URL of an upstream, with what it takes to get it answered: authentication
// and redirects. The request is built here from nothing; no client's header is in it. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"
#include "upstream/authenticator.hpp"
#include "upstream/setback.hpp"

namespace entrepot::upstream {

enum class BodyUse { stream, text };
// Among whom a question waits for its turn. Those who upload wait for none who download, or copies
// within one registry would wait for each other; a poll does nothing but wait.
enum class Queue { questions, transfers, uploads, polls };

// What goes along with a question.
struct Sending {
  std::string content_type;
  std::string text;
  // Instead of `text`: the bytes [from, size) of it.
  std::shared_ptr<async::ByteSource> upload{};
  std::uint64_t from = 0;
  std::string range{};  // Content-Range of an upload's piece; empty: none
};

struct Question {
  std::string_view kind;  // for metrics: manifest, blob …; a literal
  std::string method = "GET";
  std::string root = "/v2/";
  std::string repository{};
  std::string path{};  // behind the root and the repository
  std::string query{};
  // Instead of all these: the address this upstream named for it. Who is a stranger to it hears no
  // secret.
  std::optional<http::Url> at{};
  Right right = Right::pull;
  std::string mount_from{};  // a repository it must be allowed to pull from, too
  std::string accept{};
  std::optional<std::uint64_t> from{};  // Range: bytes=<from>-
  std::optional<std::uint64_t> to{};    // the last byte wanted
  BodyUse body = BodyUse::text;
  Queue queue = Queue::questions;
  // Of one that waits among the transfers; absent: as long as it takes.
  std::optional<std::chrono::milliseconds> patience{};
  std::size_t most = 0;                // of a text
  std::optional<std::size_t> avoid{};  // the URL to ask last
  std::shared_ptr<const Sending> sending{};
  std::vector<int> answers{};  // statuses that are an answer, beside success
  std::optional<std::chrono::milliseconds> first_byte{};  // instead of the transport's
  // Why a successful head cannot be true (captive portals answer 200 too); may be null.
  std::optional<std::string> (*doubt)(const http::Response&) = nullptr;
};

// A 200 or 206, or what `answers` names; any 2xx to a question that changes something; to HEAD also
// the refusal of a server that does not answer it.
struct Reply {
  std::unique_ptr<http::Response> response;
  http::Url url;     // that answered, after redirects
  std::string text;  // BodyUse::text
};

class Exchange {
 public:
  Exchange(const OriginSet& origins, Authenticator& authenticator, http::Client& client,
           RateBudget& rate, const base::Clock& clock, base::Metrics& metrics)
      : origins_(origins),
        authenticator_(authenticator),
        client_(client),
        rate_(rate),
        clock_(clock),
        metrics_(metrics) {}

  async::Task<Try<Reply>> ask(http::Url upstream, Question question);

 private:
  async::Task<Try<Reply>> follow(http::Url upstream, Question question, std::string authorization);
  async::Task<Try<Reply>> send(http::Url url, Question question, std::string authorization);
  http::ClientRequest request(const http::Url& url, const Question& question) const;
  void hear_rate(const http::Url& upstream, const http::Response& response);
  async::Task<Try<Reply>> judge(http::Url upstream, Question question, Reply reply);

  const OriginSet& origins_;
  Authenticator& authenticator_;
  http::Client& client_;
  RateBudget& rate_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
};

}  // namespace entrepot::upstream
