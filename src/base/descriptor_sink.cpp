#include "base/descriptor_sink.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

namespace entrepot::base::log {

namespace {

constexpr int patience_milliseconds = 20;

// A pipe that polls as writable takes this much without blocking (pipe(7)).
constexpr std::size_t piece = PIPE_BUF;

bool is_socket(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

bool is_writable(int fd, int milliseconds) {
  pollfd state{fd, POLLOUT, 0};
  return ::poll(&state, 1, milliseconds) == 1;
}

}  // namespace

DescriptorSink::DescriptorSink(int fd) : fd_(fd), is_socket_(is_socket(fd)) {}

// Never sets O_NONBLOCK: the flag would reach every process that shares the open file.
ssize_t DescriptorSink::write_some(std::string_view text) {
  if (!is_writable(fd_, blocked_ ? 0 : patience_milliseconds)) {
    errno = EAGAIN;
    return -1;
  }
  if (is_socket_) return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(fd_, text.data(), std::min(text.size(), piece));
}

DescriptorSink::Delivery DescriptorSink::deliver(std::string_view line) {
  auto rest = line;
  while (!rest.empty()) {
    const auto written = write_some(rest);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
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
