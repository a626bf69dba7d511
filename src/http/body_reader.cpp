#include "http/body_reader.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::http {

namespace {

// reliability.md H-12: so much of an unwanted body is read to keep the connection usable.
constexpr std::uint64_t most_unwanted_body = 64 * 1024;
// Between two of these other connections of the thread have their turn.
constexpr std::uint64_t most_in_turn = 1024 * 1024;

}  // namespace

void BodyReader::open(const Admission& admission) {
  framing_ = admission.framing;
  length_ = left_ = admission.content_length;
  expects_continue_ = admission.expects_continue;
  state_ = framing_ == Framing::none ? State::whole : State::unread;
}

std::optional<std::uint64_t> BodyReader::length() const {
  if (framing_ == Framing::chunked) return std::nullopt;
  return length_;
}

async::Task<base::ByteView> BodyReader::next() {
  if (state_ == State::unread) {
    co_await permit();
    vigil_.await(Awaiting::body, limits_.stall);
    const auto piece = co_await pull();
    vigil_.await(Awaiting::content);
    if (!piece.empty()) co_return piece;
  }
  block_.reset();
  if (state_ == State::malformed) {
    throw oci::Refusal(oci::ErrorCode::bad_request, "malformed chunked body");
  }
  if (state_ == State::cut) {
    throw BodyCut(vigil_.expired() ? "the request's body came too slowly"
                                   : "the client left within its request's body");
  }
  co_return base::ByteView();
}

async::Task<> BodyReader::discard_rest() {
  block_.reset();
  // Who asks before sending gets our answer instead of the permission.
  if (state_ != State::unread || expects_continue_) co_return;
  if (framing_ == Framing::length && left_ > most_unwanted_body) co_return;
  vigil_.await(Awaiting::request, limits_.header);
  std::uint64_t size = 0;
  while (state_ == State::unread && size <= most_unwanted_body) {
    const auto piece = co_await pull();
    size += piece.size();
  }
  // More than that came in one piece with its end.
  if (state_ == State::whole && size > most_unwanted_body) state_ = State::unread;
  block_.reset();
  framing_ = Framing::none;
  length_ = 0;
}

async::Task<> BodyReader::permit() {
  if (!begun_) vigil_.begin_pace();
  begun_ = true;
  const bool waits = std::exchange(expects_continue_, false) && buffer_.empty();
  if (!waits) co_return;
  std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  vigil_.await(Awaiting::reader, limits_.stall);
  const auto ec = co_await conn_.write(std::span(&piece, 1));
  if (ec) fail(State::cut);
}

base::ByteView BodyReader::fail(State state) {
  state_ = state;
  return {};
}

// At least one byte, or the end of State::unread.
async::Task<base::ByteView> BodyReader::pull() {
  if (state_ != State::unread) co_return base::ByteView();
  if (framing_ == Framing::length) co_return co_await pull_length();
  co_return co_await pull_chunks();
}

async::Task<base::ByteView> BodyReader::pull_length() {
  std::string_view piece;
  if (!buffer_.empty()) {
    piece = buffer_.data().substr(0, left_);
    buffer_.consume(piece.size());
  } else {
    const bool received = co_await receive(left_);
    if (!received) co_return fail(State::cut);
    piece = {received_.data(), received_.size()};
  }
  left_ -= piece.size();
  if (left_ == 0) state_ = State::whole;
  co_return base::as_bytes(piece);
}

async::Task<base::ByteView> BodyReader::pull_chunks() {
  for (;;) {
    if (buffer_.empty() && received_.empty()) {
      const bool received = co_await receive(blocks_.block_bytes());
      if (!received) co_return fail(State::cut);
    }
    const bool came_with_head = !buffer_.empty();
    const auto step = decoder_.decode_all(came_with_head ? buffer_.bytes() : received_);
    if (!step) co_return fail(State::malformed);
    if (came_with_head) {
      buffer_.consume(step->consumed);
    } else {
      received_ = received_.subspan(step->consumed);
    }
    if (decoder_.done()) {
      state_ = State::whole;
      if (!received_.empty()) buffer_.put_back({received_.data(), received_.size()});
    }
    if (!step->data.empty() || decoder_.done()) co_return base::as_bytes(step->data);
  }
}

async::Task<bool> BodyReader::receive(std::uint64_t most) {
  if (std::exchange(in_turn_, in_turn_ % most_in_turn) >= most_in_turn) {
    co_await async::asio::post(async::asio::use_awaitable);
  }
  for (;;) {
    if (!block_) block_ = blocks_.take();
    const auto room = std::span(block_.get(), std::min<std::uint64_t>(most, blocks_.block_bytes()));
    if (const auto size = conn_.try_read(room)) {
      received_ = room.first(*size);
      in_turn_ += *size;
      co_return *size > 0;
    }
    block_.reset();
    in_turn_ = 0;
    const auto ec = co_await conn_.wait_readable();
    if (ec) co_return false;
  }
}

}  // namespace entrepot::http
