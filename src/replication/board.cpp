#include "replication/board.hpp"

#include <utility>

#include "entrepot/base/units.hpp"
#include "entrepot/index/notes.hpp"

namespace entrepot::replication {

namespace {

constexpr const char* scope = "replication rules";

// "started ended error", times in milliseconds since 1970, 0 for never.
std::string written(const RuleStatus& status) {
  const auto number = [](const std::optional<base::WallTime>& time) {
    return std::to_string(time ? time->time_since_epoch().count() : 0);
  };
  return number(status.last_started) + " " + number(status.last_ended) + " " + status.last_error;
}

std::optional<base::WallTime> time_of(std::string_view text) {
  const auto number = base::parse_unsigned(text).value_or(0);
  if (number == 0) return std::nullopt;
  return base::WallTime(base::Milliseconds(number));
}

void read_into(RuleStatus& status, std::string_view text) {
  const auto first = text.find(' ');
  const auto second = text.find(' ', first + 1);
  if (first == text.npos || second == text.npos) return;
  status.last_started = time_of(text.substr(0, first));
  status.last_ended = time_of(text.substr(first + 1, second - first - 1));
  status.last_error = text.substr(second + 1);
}

}  // namespace

Board::Board(index::Index& index, std::string rule) : index_(index) {
  status_.rule = std::move(rule);
  status_.state = "idle";
}

async::Task<> Board::load() {
  const auto rule = now().rule;
  const auto text = co_await index_.read(
      [&rule](const index::View& view) { return index::note(view, scope, rule); });
  const std::lock_guard lock(mutex_);
  if (std::exchange(loaded_, true)) co_return;
  if (text) read_into(status_, *text);
}

void Board::change(const std::function<void(RuleStatus&)>& edit) {
  const std::lock_guard lock(mutex_);
  edit(status_);
}

RuleStatus Board::now() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

async::Task<> Board::started(base::WallTime when) {
  change([when](RuleStatus& status) { status.last_started = when; });
  co_await save();
}

async::Task<> Board::ended(base::WallTime when, std::string error) {
  change([when, &error](RuleStatus& status) {
    status.last_ended = when;
    status.last_error = std::move(error);
  });
  co_await save();
}

async::Task<> Board::save() {
  const auto status = now();
  const auto text = written(status);
  co_await index_.write(
      [&status, &text](index::Batch& batch) { index::set_note(batch, scope, status.rule, text); });
}

}  // namespace entrepot::replication
