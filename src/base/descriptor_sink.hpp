// A spdlog sink that writes each line to a descriptor by one call and never waits long for it.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string_view>

namespace entrepot::base::log {

// When the reader of a pipe or socket falls behind, the first line waits for it a moment, further
// ones are dropped until it reads again; then a line tells how many were lost. Thread-safe.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // `fd` stays the caller's.
  explicit DescriptorSink(int fd);

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  enum class Delivery { whole, torn, none };
  Delivery deliver(std::string_view line);
  ssize_t write_some(std::string_view text);
  void report_lost();

  int fd_;
  bool is_socket_;
  bool blocked_ = false;  // the last line met a reader that did not read
  bool torn_ = false;     // the last line was cut: the next starts with a newline
  std::uint64_t lost_ = 0;
};

}  // namespace entrepot::base::log
