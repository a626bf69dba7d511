// Asks a question of an upstream until it is answered or there is no sense in going on: its URLs in
// order, again where that may help, never more than so many at once. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/limiter.hpp"
#include "entrepot/async/offload.hpp"
#include "upstream/exchange.hpp"
#include "upstream/mirror_set.hpp"
#include "upstream/retry.hpp"

namespace entrepot::upstream {

// A reply and the place among the concurrent transfers it takes while its body is read.
struct Held {
  async::Limiter::Permit permit;
  Reply reply;
  std::size_t url = 0;  // which of the configured ones
};

class Asker {
 public:
  // The collaborators outlive it. Throws std::invalid_argument on a URL that cannot be used.
  Asker(const RemoteOptions& options, http::Client& client, async::BlockingPool& pool,
        const base::Clock& clock, base::Metrics& metrics);

  async::Task<registry::Answer<Held>> ask(Question question);
  // Asks that one of the URLs, once: for what is part of something begun there. Its patience is
  // that of who asks: who tries again waits between tries.
  async::Task<Try<Held>> ask_once(std::size_t url, Question question);

  const std::string& name() const { return origins_.name(); }
  const RetryRule& rule() const { return rule_; }
  const http::Url& url(std::size_t url) const { return origins_.urls()[url]; }
  std::size_t urls() const { return origins_.urls().size(); }
  base::Metrics& metrics() { return metrics_; }
  // The body of a reply broke off: the URL is no better than one that does not answer.
  void broke_off(std::size_t url, const std::string& reason);
  // `failure` with our name before its message, as clients and log see it.
  registry::Failure named(registry::Failure failure) const;

 private:
  // What has come of a question so far.
  struct Course {
    std::vector<bool> settled;       // URLs whose answer would be the same again
    std::optional<Setback> final;    // the weightiest of those answers
    std::optional<Setback> hopeful;  // the weightiest of the last round that may pass
    std::optional<Held> held;
  };
  // A place among those who ask at once; absent when there was none in time.
  async::Task<std::optional<async::Limiter::Permit>> turn(const Question& question);
  // Why replication leaves this URL alone just now; absent: it does not.
  std::optional<Setback> held_back(std::size_t url, const Question& question);
  Course course_of(const Question& question);
  // One round; false when no URL may be asked now.
  async::Task<bool> ask_each(Question question, Course& course);
  void note(std::size_t url, const Setback& setback);
  registry::Failure outcome(Course& course);

  OriginSet origins_;
  base::Metrics& metrics_;
  const http::Priority priority_;
  const std::uint64_t reserve_;
  const std::shared_ptr<RateBudget> rate_;
  RetryRule rule_;
  RetryBudget budget_;
  CredentialSource credentials_;
  TokenClient tokens_;
  Authenticator authenticator_;
  Exchange exchange_;
  MirrorSet mirrors_;
  // Bodies of blobs wait for their own kind only: a question about a tag never waits for them.
  async::Limiter transfers_;
  async::Limiter uploads_;
  async::Limiter questions_;
};

}  // namespace entrepot::upstream
