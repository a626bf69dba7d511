// The request's body on its way out, and how long the other side may take over it.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <span>
#include <utility>

#include "http/curl_transfer.hpp"

namespace entrepot::http {
namespace {

// At a time, for an exchange that is held back.
constexpr std::uint64_t most_granted = 64 * 1024;

}  // namespace

// curl has sent what it had and asks for more.
std::size_t CurlTransfer::on_read(char* room, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  auto& upload = *transfer.upload_;
  constexpr std::size_t no_more = 0;
  if (transfer.head_.state() != CurlHead::State::reading || upload.whole()) return no_more;
  try {
    const auto taken = upload.take(std::as_writable_bytes(std::span(room, size)));
    transfer.expect_progress();
    transfer.passage_.moved(taken.value_or(0));
    if (taken) return *taken;
  } catch (...) {
    transfer.unreadable_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
  transfer.wake();
  return CURL_READFUNC_PAUSE;
}

int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& upload = *static_cast<CurlTransfer*>(self)->upload_;
  const bool possible = origin == SEEK_SET && offset >= 0;
  return possible && upload.rewind(static_cast<std::uint64_t>(offset)) ? CURL_SEEKFUNC_OK
                                                                       : CURL_SEEKFUNC_FAIL;
}

std::chrono::milliseconds CurlTransfer::first_byte() const {
  return request_.first_byte.value_or(request_.transport->first_byte);
}

void CurlTransfer::expect_progress() {
  const bool sending = upload_ && !upload_->whole();
  head_by_ = after(sending ? request_.transport->idle : first_byte());
}

// Whether the kernel still passes on what it took from us: no byte for us while a slow line drains
// is not the server's silence.
bool CurlTransfer::still_draining() {
  int queued = 0;
  if (!upload_ || fd_ == CURL_SOCKET_BAD || ::ioctl(fd_, SIOCOUTQ, &queued) != 0) return false;
  return std::exchange(queued_, queued) != queued && queued > 0;
}

async::Task<> CurlTransfer::feed() {
  if (upload_->ready() == 0) co_await upload_->fetch();
  const auto granted =
      passage_.restrained() ? std::min(upload_->ready(), most_granted) : upload_->ready();
  co_await hold(passage_.charge(granted));
  co_await pass(granted);
  if (overtaken()) co_return;
  upload_->grant(granted);
  expect_progress();
  multi_->unpause(*this);
}

// The answer stands, so nobody wants the rest. The connection cannot be used again: what is missing
// would be taken from the next request.
void CurlTransfer::stop_sending() {
  if (!upload_ || upload_->whole()) return;
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  multi_->unpause(*this);
}

}  // namespace entrepot::http
