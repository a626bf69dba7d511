#include "notify/courier.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

#include "entrepot/base/backoff.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/base/units.hpp"
#include "notify/envelope.hpp"
#include "notify/signature.hpp"
#include "notify/user_agent.hpp"

namespace entrepot::notify {
namespace {

constexpr std::size_t rows_at_once = 64;
constexpr std::chrono::seconds after_trouble_of_ours(5);
// Some write without waking us: adoption, for one.
constexpr std::chrono::seconds longest_rest(1);
// A longer answer is not worth keeping its connection for.
constexpr std::size_t most_answer = 4096;

std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers) {
  const auto seconds = base::parse_unsigned(headers.get("Retry-After").value_or(""));
  constexpr std::uint64_t most = 86'400;
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, most));
}

http::ClientRequest request_for(const Receiver& receiver, std::string body) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = receiver.url;
  request.transport = receiver.transport;
  for (const auto& [name, value] : receiver.headers) request.headers.add(name, value);
  request.headers.set("Content-Type", envelope_type);
  request.headers.set("User-Agent", user_agent());
  if (!receiver.secret.empty())
    request.headers.set(signature_header, signature(receiver.secret, body));
  request.body = std::move(body);
  return request;
}

}  // namespace

Courier::Courier(std::shared_ptr<Surroundings> surroundings, SharedSubscription subscription,
                 Start start)
    : surroundings_(std::move(surroundings)),
      name_(subscription->receiver().name),
      subscription_(std::move(subscription)),
      start_(start) {}

void Courier::assign(SharedSubscription subscription) {
  subscription_.replace(std::move(subscription));
  assigned_.notify_all();
}

async::Task<> Courier::run(std::shared_ptr<Courier> self) {
  for (;;) {
    try {
      co_await self->work();
    } catch (const boost::system::system_error&) {
      throw;  // cancelled
    } catch (const std::exception& error) {
      base::log::error("notifications interrupted",
                       {{"receiver", self->name_}, {"error", error.what()}});
    }
    co_await async::sleep_for(after_trouble_of_ours);
  }
}

async::Task<> Courier::work() {
  co_await find_position();
  for (;;) {
    const auto ticket = surroundings_->written.ticket();
    const auto rows = co_await surroundings_->index.read(
        [this](const index::View& view) { return index::events(view, position_, rows_at_once); });
    for (const auto& row : rows) {
      co_await handle(row);
      position_ = row.sequence;
    }
    report_expired();
    co_await save();
    if (!rows.empty()) continue;
    co_await surroundings_->written.wait(ticket, longest_rest);
  }
}

async::Task<> Courier::find_position() {
  const std::string name = name_;
  std::uint64_t last = 0;
  saved_ = co_await surroundings_->index.read([&name, &last](const index::View& view) {
    last = index::last_event(view);
    return index::receiver_position(view, name);
  });
  const auto start = std::exchange(start_, std::nullopt);
  const auto behind = saved_ == 0 ? start.value_or(0) : saved_;
  // Beyond the last event is nowhere: the index is another one than it was.
  position_ = std::max<std::uint64_t>(position_, std::min(behind, last));
}

async::Task<> Courier::save() {
  const std::uint64_t position = position_;
  if (position == saved_) co_return;
  const std::string name = name_;
  co_await surroundings_->index.write([&name, position](index::Batch& batch) {
    index::set_receiver_position(batch, name, position);
  });
  saved_ = position;
  surroundings_->stirred.notify_all();
}

// Returns when the receiver has the event, does not want it, or has waited too long for it.
async::Task<> Courier::handle(const index::Event& event) {
  for (;;) {
    const auto ticket = assigned_.ticket();
    const auto current = subscription();
    if (!current->wants(event)) co_return;
    if (current->expired(event, surroundings_->clock.wall())) {
      surroundings_->metrics.notification(name_, "expired");
      ++expired_;
      co_return;
    }
    const auto done = co_await deliver(current, render_envelope(event, surroundings_->instance));
    if (done) {
      surroundings_->metrics.notification(name_, "delivered");
      failures_ = 0;
      co_return;
    }
    surroundings_->metrics.notification(name_, "failed");
    co_await save();
    co_await rest(ticket, done.error());
  }
}

// Other words for this receiver end the rest: its address may be a better one.
async::Task<> Courier::rest(std::uint64_t ticket, Trouble trouble) {
  ++failures_;
  const auto delay = base::backoff(failures_, base::draw_jitter(), trouble.asked_for);
  base::log::warn("notification failed", {{"receiver", name_},
                                          {"failures", failures_},
                                          {"again_in_ms", delay.count()},
                                          {"reason", trouble.reason}});
  co_await assigned_.wait(ticket, delay);
}

async::Task<std::expected<void, Courier::Trouble>> Courier::deliver(SharedSubscription subscription,
                                                                    std::string body) {
  auto response =
      co_await surroundings_->client.send(request_for(subscription->receiver(), std::move(body)));
  if (!response) {
    co_return std::unexpected(
        Trouble{std::string(to_string(response.error().kind)) + ": " + response.error().message});
  }
  const int status = (*response)->status();
  const auto asked_for = retry_after((*response)->headers());
  if ((*response)->content_length().value_or(most_answer + 1) <= most_answer)
    co_await http::read_all(**response, most_answer);
  if (status < 200 || status > 299)
    co_return std::unexpected(Trouble{"answers " + std::to_string(status), asked_for});
  co_return std::expected<void, Trouble>();
}

void Courier::report_expired() {
  if (expired_ == 0) return;
  base::log::warn("notifications expired", {{"receiver", name_}, {"events", expired_}});
  expired_ = 0;
}

}  // namespace entrepot::notify
