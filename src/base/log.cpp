#include "entrepot/base/log.hpp"

#include <spdlog/logger.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <exception>
#include <memory>

#include "base/descriptor_sink.hpp"
#include "base/log_line.hpp"

namespace entrepot::base::log {

namespace {

struct Target {
  spdlog::logger logger{"entrepot", std::make_shared<DescriptorSink>(STDERR_FILENO)};
  Format format = Format::text;
};

Target& target() {
  // Never destroyed: threads may still log while the process exits.
  static auto* const target = new Target;
  return *target;
}

spdlog::level::level_enum in_spdlog(Level level) {
  using enum spdlog::level::level_enum;
  static constexpr spdlog::level::level_enum levels[] = {trace, debug, info, warn, err};
  return levels[static_cast<std::size_t>(level)];
}

// RFC 3339 in UTC with milliseconds. The calendar is asked once a second and thread.
std::string_view timestamp() {
  using namespace std::chrono;
  static thread_local std::time_t second = -1;
  static thread_local char text[] = "1970-01-01T00:00:00.000Z";
  const auto now = floor<milliseconds>(system_clock::now());
  const auto current = system_clock::to_time_t(now);
  if (current != second) {
    std::tm calendar{};
    ::gmtime_r(&current, &calendar);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &calendar);
    second = current;
  }
  auto fraction = (now - floor<seconds>(now)).count();
  for (std::size_t place = 22; place >= 20; --place, fraction /= 10) {
    text[place] = static_cast<char>('0' + fraction % 10);
  }
  return {text, sizeof text - 1};
}

}  // namespace

void configure(Level level, Format format) {
  target().logger.set_level(in_spdlog(level));
  target().format = format;
}

bool enabled(Level level) { return target().logger.should_log(in_spdlog(level)); }

void write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!enabled(level)) return;
  static thread_local std::string line;
  line.clear();
  append_line(line, target().format, level, timestamp(), event, fields);
  target().logger.log(in_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace entrepot::base::log
