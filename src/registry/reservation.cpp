#include "registry/reservation.hpp"

#include <limits>
#include <utility>

namespace entrepot::registry {

namespace {
// Asking costs some microseconds, hashing so much some milliseconds.
constexpr std::uint64_t asked_ahead = std::uint64_t{4} << 20;
}  // namespace

Reservation::Reservation(const UploadSessions::Hold& hold, Writer& writer,
                         std::optional<oci::Digest> digest, NextPiece pieces)
    : hold_(hold),
      writer_(writer),
      digest_(digest),
      pieces_(std::move(pieces)),
      given_(hold.spool->size()),
      reserved_(given_) {}

async::Task<Room> Reservation::room() const {
  return writer_.room(hold_.notes().repository, digest_);
}

async::Task<> Reservation::whole(std::uint64_t length) {
  hold_.reserve(given_ + length, 0, co_await room());
  reserved_ = std::numeric_limits<std::uint64_t>::max();
}

async::Task<base::ByteView> Reservation::next() {
  const auto piece = co_await pieces_();
  given_ += piece.size();
  if (given_ > reserved_) reserved_ = hold_.reserve(given_, asked_ahead, co_await room());
  co_return piece;
}

}  // namespace entrepot::registry
