#include "http/curl_transfer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <new>
#include <utility>

#include "http/curl_address.hpp"

namespace asio = boost::asio;

namespace entrepot::http {
namespace {

constexpr std::size_t most_buffered = 256 * 1024;
constexpr std::size_t most_buffered_restrained = 64 * 1024;
constexpr std::size_t worth_waking = 64 * 1024;
constexpr std::size_t any_byte = 1;
constexpr std::size_t not_bytes = 0;
// How much of what we send waits in the kernel before it is on its way: enough for any line, little
// enough that a limit's end, and a stalled server, are seen in time.
constexpr int most_unsent = 128 * 1024;
constexpr auto never = std::chrono::steady_clock::time_point::max();

std::optional<CurlUpload> upload_of(const ClientRequest& request) {
  if (!request.upload) return std::nullopt;
  return CurlUpload(request.upload, request.upload_from);
}

}  // namespace

CurlTransfer::CurlTransfer(std::shared_ptr<CurlMulti> multi, ClientRequest request, const Url& url)
    : multi_(std::move(multi)),
      request_(std::move(request)),
      passage_(request_.lane),
      upload_(upload_of(request_)),
      easy_(curl_easy_init()),
      signal_(multi_->executor()),
      filling_(std::make_shared<std::string>()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  set_up(url);
  const auto& limits = *request_.transport;
  const bool connect_limited = limits.connect.count() > 0 && first_byte().count() > 0;
  head_by_ = connect_limited ? after(limits.connect + first_byte()) : never;
  end_by_ = after(limits.total);
  multi_->add(*this);
}

CurlTransfer::Clock::time_point CurlTransfer::after(std::chrono::milliseconds limit) {
  return limit.count() > 0 ? Clock::now() + limit : never;
}

CurlTransfer::~CurlTransfer() {
  cut_off();
  multi_->remove(*this);
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

// ---- called by curl: note what came, wake who waits, nothing else ------------------------------

std::size_t CurlTransfer::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const auto before = transfer.head_.state();
  const auto after = transfer.head_.feed({data, size});
  if (after != before) transfer.wake();
  return after == CurlHead::State::refused ? 0 : size;
}

std::size_t CurlTransfer::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  auto& buffer = *transfer.filling_;
  const auto most = transfer.passage_.restrained() ? most_buffered_restrained : most_buffered;
  if ((!buffer.empty() && buffer.size() + size > most) || !transfer.admit(size)) {
    transfer.paused_ = true;
    transfer.wake();
    return CURL_WRITEFUNC_PAUSE;
  }
  buffer.append(data, size);
  transfer.passage_.moved(size);
  if (transfer.wake_at_ > 0 && buffer.size() >= transfer.wake_at_) transfer.wake();
  return size;
}

// The connection stands and the request goes out.
int CurlTransfer::on_connected(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  transfer.connected_ = true;
  transfer.bound_buffers();
  transfer.expect_progress();
  transfer.wake();
  return CURL_PREREQFUNC_OK;
}

// The only place a connection can come from, with the address it really goes to.
curl_socket_t CurlTransfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (transfer.request_.addresses == AddressPolicy::public_only && !transfer.proxied_ &&
      reach_of(&address->addr) == Reach::internal) {
    transfer.refused_address_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0) {
    // A peer that vanished mid-exchange is noticed by the kernel (reliability.md N-05).
    const unsigned milliseconds = 60'000;
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most_unsent, sizeof most_unsent);
  }
  return fd;
}

void CurlTransfer::finished(CURLcode result) {
  done_ = true;
  if (head_.state() == CurlHead::State::refused)
    error_ = TransportError{TransportErrorKind::broken, std::string(head_.error())};
  else if (result != CURLE_OK)
    error_ = TransportError{kind_of(result), sentence(result)};
  else if (head_.state() != CurlHead::State::complete)
    error_ = TransportError{TransportErrorKind::broken, "the response has no complete head"};
  wake();
}

void CurlTransfer::abandoned() {
  done_ = true;
  error_ = TransportError{TransportErrorKind::cancelled, "shutting down"};
  signal_.reset();
}

TransportErrorKind CurlTransfer::kind_of(CURLcode result) const {
  if (refused_address_ && result == CURLE_COULDNT_CONNECT)
    return TransportErrorKind::refused_address;
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportErrorKind::resolve;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return TransportErrorKind::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportErrorKind::timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return TransportErrorKind::tls;
    default:
      return TransportErrorKind::broken;
  }
}

std::string CurlTransfer::sentence(CURLcode result) const {
  if (refused_address_ && result == CURLE_COULDNT_CONNECT)
    return "the host's address is not a public one";
  return message_[0] != '\0' ? message_.data() : curl_easy_strerror(result);
}

// ---- called by the coroutine -------------------------------------------------------------------

void CurlTransfer::wake() {
  wake_at_ = not_bytes;
  if (signal_) signal_->cancel();
}

async::Task<> CurlTransfer::wait(std::size_t enough, Clock::time_point until) {
  if (!signal_) co_return;
  wake_at_ = enough;
  signal_->expires_at(until);
  co_await signal_->async_wait(asio::as_tuple(asio::use_awaitable));
}

// While sending: there is nobody left to send to.
bool CurlTransfer::overtaken() const {
  return !answered_ && (done_ || head_.state() != CurlHead::State::reading);
}

async::Task<> CurlTransfer::hold(std::chrono::nanoseconds time) {
  const auto until = Clock::now() + time;
  while (signal_ && !overtaken() && Clock::now() < until) co_await wait(not_bytes, until);
}

async::Task<> CurlTransfer::pass(std::uint64_t bytes) {
  while (signal_ && !overtaken()) {
    const auto back = passage_.stand_back(bytes);
    if (back.count() == 0) co_return;
    co_await hold(back);
  }
}

std::unexpected<TransportError> CurlTransfer::fail(TransportErrorKind kind, std::string message) {
  cut_off();
  multi_->remove(*this);
  done_ = true;
  error_ = TransportError{kind, std::move(message)};
  return std::unexpected(*error_);
}

async::Task<std::expected<void, TransportError>> CurlTransfer::receive_head() {
  while (head_.state() == CurlHead::State::reading && !done_) {
    if (upload_ && upload_->hungry()) {
      co_await feed();
      continue;
    }
    const auto until = std::min(head_by_, end_by_);
    if (Clock::now() >= until) {
      if (until == end_by_ || !still_draining())
        co_return fail(TransportErrorKind::timeout, upload_ && !upload_->whole()
                                                        ? "the server takes no more of the body"
                                                        : "no response head in time");
      expect_progress();
      continue;
    }
    co_await wait(not_bytes, until);
  }
  answered_ = true;
  if (unreadable_) std::rethrow_exception(unreadable_);
  stop_sending();
  if (head_.state() != CurlHead::State::complete) {
    if (error_) co_return std::unexpected(*error_);
    co_return fail(TransportErrorKind::broken, std::string(head_.error()));
  }
  co_return std::expected<void, TransportError>();
}

// Whether bytes that are there may come in: none while a limit's wait lasts, none past people.
bool CurlTransfer::admit(std::uint64_t bytes) {
  if (held_) return false;
  if (admitted_ < bytes) return passage_.carry(bytes);
  admitted_ -= bytes;
  return true;
}

// Nothing came in for the sake of others: waits for its turn.
async::Task<> CurlTransfer::readmit() {
  co_await pass(most_buffered_restrained);
  admitted_ = most_buffered_restrained;
  resume();
}

void CurlTransfer::resume() {
  if (!std::exchange(paused_, false)) return;
  multi_->unpause(*this);
}

// The buffer shown last, when nobody kept it, else a new one.
CurlTransfer::Buffer CurlTransfer::take_spare() {
  Buffer spare = std::move(given_);
  if (!spare || spare.use_count() > 1) spare = std::make_shared<std::string>();
  spare->clear();
  return spare;
}

async::Task<std::expected<base::ByteView, TransportError>> CurlTransfer::next(
    std::chrono::milliseconds gather) {
  auto idle_by = after(request_.transport->idle);
  if (gather.count() > 0) {
    const auto until = after(gather);
    while (filling_->size() < worth_waking && !paused_ && !done_ && Clock::now() < until)
      co_await wait(worth_waking, until);
  }
  while (filling_->empty() && !done_) {
    if (paused_) {
      co_await readmit();
      idle_by = after(request_.transport->idle);
    }
    const auto until = std::min(idle_by, end_by_);
    if (Clock::now() >= until) co_return fail(TransportErrorKind::timeout, "the body stalled");
    co_await wait(any_byte, until);
  }
  if (filling_->empty()) {
    given_.reset();
    if (error_) co_return std::unexpected(*error_);
    co_return base::ByteView();
  }
  Buffer full = std::exchange(filling_, take_spare());
  held_ = true;
  co_await hold(passage_.charge(full->size()));
  held_ = false;
  given_ = std::move(full);
  resume();
  co_return base::as_bytes(*given_);
}

}  // namespace entrepot::http
