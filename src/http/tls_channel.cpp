#include "http/tls_channel.hpp"

#include <openssl/err.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <new>

#include "entrepot/base/unique_fd.hpp"
#include "http/certificate_name.hpp"
#include "http/tls_context.hpp"
#include "http/tls_keys.hpp"
#include "http/wire_bio.hpp"

namespace entrepot::http {

namespace {

namespace asio = async::asio;

constexpr std::size_t one_record = 16 * 1024;
// Encrypted and handed to the kernel in one piece.
constexpr std::size_t batch_bytes = 64 * 1024;
// A connection keeps so much memory between its answers.
constexpr std::size_t small_buffer = 4 * 1024;
// Between two of these other connections of the thread have their turn.
constexpr std::uint64_t slice_bytes = 1024 * 1024;
constexpr std::chrono::seconds longest_turn{60};

std::error_code protocol_error() { return std::make_error_code(std::errc::protocol_error); }

void drop_capacity(std::string& buffer) {
  if (buffer.empty() && buffer.capacity() > small_buffer) std::string().swap(buffer);
}

constexpr std::string_view not_tls =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    "this port speaks HTTPS\n";

}  // namespace

TlsChannel::TlsChannel(Wire& wire, const TlsKeys& keys, BlockPool& blocks,
                       async::Limiter& handshakes)
    : wire_(wire),
      blocks_(blocks),
      handshakes_(handshakes),
      ssl_(SSL_new(keys.state_->current().get())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* bio = make_wire_bio(wire_, ciphertext_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

TlsChannel::~TlsChannel() = default;

TlsChannel::Step TlsChannel::judge(int result) {
  if (result == 1) return Step::done;
  const int why = SSL_get_error(ssl_.get(), result);
  if (why == SSL_ERROR_WANT_READ) return Step::needs_bytes;
  may_read_ = false;
  // The other side has no more to say, which is no error.
  if (why != SSL_ERROR_ZERO_RETURN) may_write_ = false;
  return Step::failed;
}

TlsChannel::Step TlsChannel::shake_hands() {
  ERR_clear_error();
  const auto step = judge(SSL_do_handshake(ssl_.get()));
  if (step == Step::failed && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
    ciphertext_ = not_tls;
  }
  return step;
}

async::Task<std::string> TlsChannel::open() {
  auto step = Step::needs_bytes;
  while (step == Step::needs_bytes) {
    const auto ec = co_await wire_.wait_readable();
    if (ec) co_return "ended before it was through";
    const auto turn = co_await handshakes_.acquire(longest_turn);
    if (!turn) co_return "too many at once";
    step = shake_hands();
    if (step == Step::failed) {
      flush_some();
      const auto why = take_tls_error();
      co_return why.empty() ? "ended before it was through" : why;
    }
    co_await asio::post(asio::use_awaitable);
    const auto broken = co_await flush();
    if (broken) co_return broken.message();
  }
  may_read_ = may_write_ = true;
  peer_name_ = certificate_name(ssl_.get());
  co_return std::string();
}

std::optional<std::size_t> TlsChannel::try_read(std::span<char> into) {
  std::size_t total = 0;
  while (may_read_ && total < into.size()) {
    ERR_clear_error();
    std::size_t size = 0;
    const auto rest = into.subspan(total);
    const auto step = judge(SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &size));
    if (step == Step::needs_bytes && total == 0) return std::nullopt;
    if (step != Step::done) break;
    total += size;
    // Where full records come there are more of them.
    if (size < one_record / 2 && SSL_has_pending(ssl_.get()) == 0) break;
  }
  if (!ciphertext_.empty()) flush_some();
  return total;
}

async::Task<std::size_t> TlsChannel::read_some(std::span<char> into) {
  for (;;) {
    if (const auto size = try_read(into)) co_return *size;
    drop_capacity(ciphertext_);
    drop_capacity(gathered_);
    const auto ec = co_await wire_.wait_readable();
    if (ec) co_return 0;
  }
}

bool TlsChannel::encrypt(std::span<const char> bytes) {
  if (!may_write_) return false;
  ERR_clear_error();
  std::size_t size = 0;
  return judge(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size)) == Step::done;
}

async::Task<std::error_code> TlsChannel::flush() {
  if (ciphertext_.empty()) co_return std::error_code{};
  iovec piece{.iov_base = ciphertext_.data(), .iov_len = ciphertext_.size()};
  const auto ec = co_await wire_.write(std::span(&piece, 1));
  ciphertext_.clear();
  if (ec) may_write_ = false;
  co_return ec;
}

void TlsChannel::flush_some() { ciphertext_.erase(0, wire_.try_write(ciphertext_)); }

async::Task<std::error_code> TlsChannel::write_all(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const auto batch = bytes.first(std::min(bytes.size(), batch_bytes));
    if (!encrypt(batch)) co_return protocol_error();
    if (const auto ec = co_await flush()) co_return ec;
    sent_ += batch.size();
    bytes = bytes.subspan(batch.size());
  }
  co_return std::error_code{};
}

async::Task<std::error_code> TlsChannel::write(std::span<iovec> pieces) {
  // A head and what fits into one record with it should be one.
  gathered_.clear();
  for (const auto& piece : pieces) {
    const std::span bytes(static_cast<const char*>(piece.iov_base), piece.iov_len);
    const bool fits = gathered_.size() + bytes.size() <= one_record;
    if (fits) {
      gathered_.append(bytes.data(), bytes.size());
      continue;
    }
    if (const auto ec = co_await write_all(gathered_)) co_return ec;
    gathered_.clear();
    if (const auto ec = co_await write_all(bytes)) co_return ec;
  }
  co_return co_await write_all(gathered_);
}

async::Task<std::error_code> TlsChannel::send_file(int file, std::uint64_t offset,
                                                   std::uint64_t length) {
  std::uint64_t in_turn = 0;
  while (length > 0) {
    // The block only lends its memory: who waits for a slow reader should not hold it.
    auto block = blocks_.take();
    const auto size = ::pread(file, block.get(), std::min<std::uint64_t>(length, batch_bytes),
                              static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) base::throw_errno("pread");
    if (size == 0) {
      throw std::system_error(std::make_error_code(std::errc::io_error), "file ends early");
    }
    const std::span bytes(block.get(), static_cast<std::size_t>(size));
    if (!encrypt(bytes)) co_return protocol_error();
    block.reset();
    if (const auto ec = co_await flush()) co_return ec;
    sent_ += bytes.size();
    offset += bytes.size();
    length -= bytes.size();
    in_turn += bytes.size();
    if (in_turn < slice_bytes || length == 0) continue;
    in_turn = 0;
    co_await asio::post(asio::use_awaitable);
  }
  co_return std::error_code{};
}

void TlsChannel::say_end() {
  if (!std::exchange(may_write_, false)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  flush_some();
}

}  // namespace entrepot::http
