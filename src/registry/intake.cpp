#include "registry/intake.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {
namespace {

constexpr std::size_t worth_a_hop = std::size_t{128} << 10;

void refuse_length(std::uint64_t length) {
  throw oci::Refusal(oci::ErrorCode::size_invalid,
                     "the body has not the " + std::to_string(length) + " bytes it was said to");
}

}  // namespace

// The connection broke between two small pieces: in place, there may be nobody left to wait for.
Intake::~Intake() {
  try {
    append_gathered();
  } catch (const std::exception& error) {
    base::log::warn("end of a broken upload not kept", {{"error", error.what()}});
  }
}

async::Task<> Intake::run(NextPiece pieces, std::optional<std::uint64_t> length) {
  std::uint64_t taken = 0;
  for (auto piece = co_await pieces(); !piece.empty(); piece = co_await pieces()) {
    const auto wanted = length ? std::min<std::uint64_t>(piece.size(), *length - taken)
                               : std::uint64_t{piece.size()};
    co_await take(piece.first(static_cast<std::size_t>(wanted)));
    taken += wanted;
    if (wanted < piece.size()) refuse_length(*length);
  }
  co_await flush();
  if (length && taken != *length) refuse_length(*length);
}

async::Task<> Intake::take(base::ByteView piece) {
  if (gathered_.empty() && piece.size() >= worth_a_hop) {
    co_await pool_.run([&] { spool_.append(piece); });
    grown_(spool_.size());
    co_return;
  }
  gathered_.insert(gathered_.end(), piece.begin(), piece.end());
  if (gathered_.size() >= worth_a_hop) co_await flush();
}

async::Task<> Intake::flush() {
  if (gathered_.empty()) co_return;
  co_await pool_.run([this] { append_gathered(); });
  grown_(spool_.size());
}

// Emptied where it is appended: whoever looks next, on whichever thread, appends nothing twice.
void Intake::append_gathered() {
  const auto bytes = std::exchange(gathered_, {});
  if (!bytes.empty()) spool_.append(bytes);
}

}  // namespace entrepot::registry
