#include "upstream/exchange.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "upstream/rate_limit.hpp"
#include "upstream/realm.hpp"
#include "upstream/refusal_word.hpp"
#include "upstream/user_agent.hpp"

namespace entrepot::upstream {
namespace {

constexpr int most_redirects = 5;
constexpr std::uint64_t worth_reading = 16 * 1024;

http::Url target(const http::Url& upstream, const Question& question) {
  if (question.at) return *question.at;
  http::Url url = upstream;
  url.path += question.root + question.repository + question.path;
  url.query = question.query;
  return url;
}

Access access_of(const Question& question) {
  auto scope = scope_text(question.repository, question.right);
  if (!question.mount_from.empty()) scope += ' ' + scope_text(question.mount_from, Right::pull);
  return {question.repository, std::move(scope)};
}

bool asks(const Question& question) {
  return question.method == "GET" || question.method == "HEAD";
}

bool is_answer(const Question& question, int status) {
  if (std::ranges::find(question.answers, status) != question.answers.end()) return true;
  if (asks(question)) return status == 200 || status == 206;
  return status >= 200 && status < 300;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The next address, or why we do not go there (reliability.md U-03 to U-06).
std::expected<http::Url, std::string> next_address(const http::Url& upstream,
                                                   const Question& question,
                                                   const Reply& redirect) {
  // The others do not say whether the next request is to be the same.
  const int status = redirect.response->status();
  if (!asks(question) && status != 307 && status != 308)
    return std::unexpected("redirects a change by " + std::to_string(status));
  const auto location = redirect.response->headers().get("Location");
  if (!location) return std::unexpected("redirects to nowhere");
  auto next = http::resolve_url(redirect.url, *location);
  if (!next) return std::unexpected("redirects to an address we cannot use");
  if (next->scheme == "http" && upstream.scheme == "https")
    return std::unexpected("redirects from https to http");
  return std::move(*next);
}

// A short body that is read to its end leaves a connection to go on with.
async::Task<std::string> read_some(Reply& reply) {
  const auto text = co_await http::read_all(*reply.response, worth_reading);
  co_return text.value_or("");
}

async::Task<> read_remainder(Reply& reply) {
  if (reply.response->content_length().value_or(worth_reading + 1) <= worth_reading)
    co_await read_some(reply);
  reply.response.reset();
}

// A store behind a redirect may have been signed for GET only.
bool knows_no_head(const Question& question, int status, bool elsewhere) {
  if (question.method != "HEAD") return false;
  return status == 405 || status == 501 || (elsewhere && (status == 401 || status == 403));
}

bool encoded(const http::Headers& headers) {
  const auto encoding = headers.get("Content-Encoding");
  return encoding && !encoding->empty() && !http::equals_ignoring_case(*encoding, "identity");
}

// Without the login it needed, a question is refused for that alone: nothing may be believed absent
// because a token server was away.
void explain(Try<Reply>& reply, Opening& opening) {
  if (reply || !opening.unanswered) return;
  const auto kind = reply.error().failure.kind;
  if (kind == registry::FailureKind::absent || kind == registry::FailureKind::denied)
    reply = std::unexpected(std::move(opening.unanswered->why));
}

}  // namespace

async::Task<Try<Reply>> Exchange::ask(http::Url upstream, Question question) {
  const auto access = access_of(question);
  auto opening = co_await authenticator_.opening(upstream, access);
  auto reply = co_await follow(upstream, question, opening.authorization);
  if (!reply) co_return std::move(reply);
  const bool challenged =
      reply->response->status() == 401 && reply->url.origin() == upstream.origin();
  if (!challenged) {
    auto judged = co_await judge(upstream, question, std::move(*reply));
    explain(judged, opening);
    co_return judged;
  }
  auto challenge = choose_challenge(reply->response->headers());
  co_await read_remainder(*reply);
  const auto authorization =
      co_await authenticator_.answer(upstream, access, std::move(challenge), std::move(opening));
  if (!authorization) co_return std::unexpected(authorization.error());
  reply = co_await follow(upstream, question, *authorization);
  if (!reply) co_return std::move(reply);
  co_return co_await judge(upstream, question, std::move(*reply));
}

// The authorization goes to the upstream's own origin and stays behind for good at the first step
// away from it.
async::Task<Try<Reply>> Exchange::follow(http::Url upstream, Question question,
                                         std::string authorization) {
  http::Url url = target(upstream, question);
  if (url.origin() != upstream.origin()) authorization.clear();
  for (int steps = 0;; ++steps) {
    auto reply = co_await send(url, question, authorization);
    if (!reply || !is_redirect(reply->response->status())) co_return std::move(reply);
    if (steps == most_redirects) co_return disbelieve("redirects too often");
    auto next = next_address(upstream, question, *reply);
    if (!next) {
      base::log::warn("upstream redirect refused",
                      {{"upstream", origins_.name()}, {"reason", next.error()}});
      co_return disbelieve(std::move(next.error()));
    }
    co_await read_remainder(*reply);
    url = std::move(*next);
    if (url.origin() != upstream.origin()) authorization.clear();
  }
}

http::ClientRequest Exchange::request(const http::Url& url, const Question& question) const {
  http::ClientRequest request;
  request.method = question.method;
  request.url = url.text();
  request.headers.add("User-Agent", user_agent());
  request.headers.add("Accept-Encoding", "identity");
  if (!question.accept.empty()) request.headers.add("Accept", question.accept);
  if (question.from) {
    const auto last = question.to ? std::to_string(*question.to) : std::string();
    request.headers.add("Range", "bytes=" + std::to_string(*question.from) + "-" + last);
  }
  request.first_byte = question.first_byte;
  if (const auto* sending = question.sending.get()) {
    request.headers.add("Content-Type", sending->content_type);
    if (!sending->range.empty()) request.headers.add("Content-Range", sending->range);
    request.body = sending->text;
    request.upload = sending->upload;
    request.upload_from = sending->from;
  }
  origins_.prepare(request, url);
  return request;
}

async::Task<Try<Reply>> Exchange::send(http::Url url, Question question,
                                       std::string authorization) {
  auto request = this->request(url, question);
  if (!authorization.empty()) request.headers.add("Authorization", authorization);
  metrics_.upstream_request(origins_.name(), question.kind);
  auto response = co_await client_.send(std::move(request));
  if (!response) {
    auto setback = of_transport(response.error());
    setback.failure.message = url.origin() + ": " + setback.failure.message;
    co_return std::unexpected(std::move(setback));
  }
  co_return Reply{std::move(*response), std::move(url), {}};
}

void Exchange::hear_rate(const http::Url& upstream, const http::Response& response) {
  const auto origin = upstream.origin();
  if (const auto limit = parse_rate_limit(response.headers())) rate_.heard(origin, *limit);
  if (response.status() == 429)
    rate_.throttled(origin, wait_asked_for(response.headers().get("Retry-After"), clock_.wall()));
}

async::Task<Try<Reply>> Exchange::judge(http::Url upstream, Question question, Reply reply) {
  const auto& response = *reply.response;
  const bool elsewhere = reply.url.origin() != upstream.origin();
  if (!elsewhere) hear_rate(upstream, response);
  if (knows_no_head(question, response.status(), elsewhere)) co_return std::move(reply);
  auto setback = is_answer(question, response.status())
                     ? std::nullopt
                     : of_status(response.status(), response.headers(), clock_.wall());
  if (setback) {
    // A store behind a redirect knows nothing of our account: it refuses the address we were given,
    // and the next one may be good.
    if (elsewhere && setback->failure.kind == registry::FailureKind::denied) {
      setback->failure.kind = registry::FailureKind::broken;
      setback->again = Again::may_help;
      setback->failure.message =
          "redirected to " + reply.url.origin() + ", which " + setback->failure.message;
    }
    if (asks(question))
      co_await read_remainder(reply);
    else
      setback->failure.message += refusal_word(co_await read_some(reply));
    co_return std::unexpected(std::move(*setback));
  }
  if (encoded(response.headers())) co_return disbelieve("sends an encoded body nobody asked for");
  if (question.doubt != nullptr)
    if (auto why = question.doubt(response)) co_return disbelieve(std::move(*why));
  if (question.most == 0 && question.body == BodyUse::text) {
    if (!asks(question)) co_await read_some(reply);  // what is said beside the head is for people
  } else if (question.body == BodyUse::text && question.method != "HEAD") {
    auto text = co_await http::read_all(*reply.response, question.most);
    if (!text) co_return std::unexpected(of_transport(text.error()));
    metrics_.upstream_bytes(origins_.name(), text->size());
    reply.text = std::move(*text);
  }
  co_return std::move(reply);
}

}  // namespace entrepot::upstream
