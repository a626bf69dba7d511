#include "base/descriptor_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace entrepot::base::log {

namespace {

constexpr int patience_milliseconds = 20;

UniqueFd reopened_pipe(int fd) {
  const auto path = "/proc/self/fd/" + std::to_string(fd);
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

DescriptorSink::DescriptorSink(int fd) : fd_(fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (S_ISFIFO(status.st_mode)) own_ = reopened_pipe(fd);
  if (own_) fd_ = own_.get();
}

bool DescriptorSink::wait_writable() {
  pollfd state{fd_, POLLOUT, 0};
  return !blocked_ && ::poll(&state, 1, patience_milliseconds) == 1;
}

DescriptorSink::Delivery DescriptorSink::deliver(std::string_view line) {
  auto rest = line;
  while (!rest.empty()) {
    const auto sent = is_socket_
                          ? ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                          : ::write(fd_, rest.data(), rest.size());
    if (sent >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR && (errno != EAGAIN || !wait_writable())) {
      blocked_ = true;
      return rest.size() == line.size() ? Delivery::none : Delivery::torn;
    }
  }
  blocked_ = false;
  return Delivery::whole;
}

void DescriptorSink::report_lost() {
  const auto line = "msg=\"log lines lost\" count=" + std::to_string(lost_) + "\n";
  if (deliver(line) == Delivery::whole) lost_ = 0;
}

void DescriptorSink::sink_it_(const spdlog::details::log_msg& message) {
  static thread_local std::string line;
  line.clear();
  if (torn_) line += '\n';
  line.append(message.payload.data(), message.payload.size());
  line += '\n';
  const auto delivery = deliver(line);
  torn_ = delivery == Delivery::torn || (torn_ && delivery == Delivery::none);
  if (delivery != Delivery::whole) {
    ++lost_;
  } else if (lost_ > 0) {
    report_lost();
  }
}

}  // namespace entrepot::base::log
