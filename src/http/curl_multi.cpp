#include "http/curl_multi.hpp"

#include <unistd.h>

#include <new>

#include "entrepot/base/log.hpp"

namespace asio = boost::asio;

namespace entrepot::http {

// One descriptor of curl's that we wait on. curl closes it, we only borrow it.
struct CurlMulti::Watch {
  Watch(const async::Executor& executor, curl_socket_t number)
      : fd(number), descriptor(executor, number) {}
  ~Watch() { release(); }

  void release() {
    want = 0;
    if (descriptor.is_open()) descriptor.release();
  }

  curl_socket_t fd;
  asio::posix::stream_descriptor descriptor;
  int want = 0;
  bool reading = false;
  bool writing = false;
};

CurlMulti::CurlMulti(async::Executor executor)
    : executor_(std::move(executor)), handle_(curl_multi_init()), timer_(executor_) {
  if (handle_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(handle_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(handle_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(handle_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(handle_, CURLMOPT_TIMERDATA, this);
  // Idle connections kept. How many may run at once is limited above us, where a waiting request is
  // not yet on any clock: time in curl's own queue would count against the transfer.
  curl_multi_setopt(handle_, CURLMOPT_MAXCONNECTS, 64L);
}

CurlMulti::~CurlMulti() { close(); }

void CurlMulti::close() {
  if (handle_ == nullptr) return;
  for (CurlDriven* transfer : running_) {
    curl_multi_remove_handle(handle_, transfer->easy());
    transfer->abandoned();
  }
  running_.clear();
  curl_multi_cleanup(handle_);
  handle_ = nullptr;
  watches_.clear();
  timer_.reset();
}

void CurlMulti::add(CurlDriven& transfer) {
  running_.insert(&transfer);
  curl_multi_add_handle(handle_, transfer.easy());
}

void CurlMulti::remove(CurlDriven& transfer) {
  if (running_.erase(&transfer) > 0) curl_multi_remove_handle(handle_, transfer.easy());
}

void CurlMulti::unpause(CurlDriven& transfer) {
  if (!running_.contains(&transfer)) return;
  curl_easy_pause(transfer.easy(), CURLPAUSE_CONT);
  drain();
}

int CurlMulti::close_socket(void* self, curl_socket_t fd) {
  auto* multi = static_cast<CurlMulti*>(self);
  for (CurlDriven* transfer : multi->running_) transfer->lost(fd);
  multi->unwatch(fd);
  return ::close(fd);
}

int CurlMulti::on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  auto* multi = static_cast<CurlMulti*>(self);
  try {
    if (what == CURL_POLL_REMOVE) {
      multi->unwatch(fd);
      return 0;
    }
    multi->watch(fd, what);
    CurlDriven* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (transfer != nullptr && multi->running_.contains(transfer)) transfer->goes_over(fd);
    return 0;
  } catch (const std::exception& error) {
    // curl is C: nothing may fly through it. It gives up on the whole handle.
    base::log::error("cannot wait for an upstream socket", {{"error", error.what()}});
    return -1;
  }
}

int CurlMulti::on_timer(CURLM*, long milliseconds, void* self) {
  static_cast<CurlMulti*>(self)->set_timer(milliseconds);
  return 0;
}

// The entry is made at the first mention of a descriptor, not when it is opened: the resolver's
// socket pair shows up here too.
void CurlMulti::watch(curl_socket_t fd, int what) {
  auto& slot = watches_[fd];
  if (!slot) slot = std::make_shared<Watch>(executor_, fd);
  slot->want = what;
  arm(slot);
}

void CurlMulti::unwatch(curl_socket_t fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  found->second->release();
  watches_.erase(found);
}

void CurlMulti::arm(const std::shared_ptr<Watch>& watch) {
  if ((watch->want & CURL_POLL_IN) != 0 && !watch->reading) {
    watch->reading = true;
    watch->descriptor.async_wait(
        asio::posix::descriptor_base::wait_read,
        [self = weak_from_this(), watch](const boost::system::error_code& error) {
          watch->reading = false;
          const auto multi = self.lock();
          if (!error && multi) multi->ready(watch, CURL_CSELECT_IN);
        });
  }
  if ((watch->want & CURL_POLL_OUT) != 0 && !watch->writing) {
    watch->writing = true;
    watch->descriptor.async_wait(
        asio::posix::descriptor_base::wait_write,
        [self = weak_from_this(), watch](const boost::system::error_code& error) {
          watch->writing = false;
          const auto multi = self.lock();
          if (!error && multi) multi->ready(watch, CURL_CSELECT_OUT);
        });
  }
}

void CurlMulti::ready(const std::shared_ptr<Watch>& watch, int event) {
  const int wanted = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
  // Whenever we could write, an answer that came before comes first: it may be the reason why
  // writing fails.
  const bool both = event == CURL_CSELECT_OUT && (watch->want & CURL_POLL_IN) != 0;
  if ((watch->want & wanted) != 0) act(watch->fd, both ? event | CURL_CSELECT_IN : event);
  // The descriptor's number may belong to another connection by now.
  const auto found = watches_.find(watch->fd);
  if (found != watches_.end() && found->second == watch) arm(watch);
}

void CurlMulti::set_timer(long milliseconds) {
  if (!timer_) return;
  if (milliseconds < 0) {
    timer_->cancel();
    return;
  }
  timer_->expires_after(std::chrono::milliseconds(milliseconds));
  timer_->async_wait([self = weak_from_this()](const boost::system::error_code& error) {
    const auto multi = self.lock();
    if (!error && multi) multi->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlMulti::act(curl_socket_t fd, int event) {
  if (handle_ == nullptr) return;
  int still_running = 0;
  curl_multi_socket_action(handle_, fd, event, &still_running);
  drain();
}

void CurlMulti::drain() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handle_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode result = message->data.result;
    CurlDriven* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(handle_, easy);
    running_.erase(transfer);
    transfer->finished(result);
  }
}

}  // namespace entrepot::http
