// Structured log lines on stderr: an event's name and its fields, as `key=value` text or JSON.
//
// One event is one line whatever its fields hold: control characters, line breaks and invalid UTF-8
// are escaped, a field is cut at 1 KiB. Callers never pass secrets; URLs go through redact_url().
// Thread-safe. A blocked or full stderr loses lines, never blocks requests for long.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace entrepot::base::log {

enum class Level { trace, debug, info, warn, error };
enum class Format { text, json };

struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double>;
  std::string_view key;
  Value value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
};

// Called once from main before any thread starts; without it: info, text.
void configure(Level level, Format format);
bool enabled(Level level);

void write(Level level, std::string_view event, std::span<const Field> fields);
inline void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  write(level, event, std::span(fields.begin(), fields.size()));
}

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

// The pure half of write(), for tests: the line without its final newline.
std::string render(Format format, Level level, std::string_view time, std::string_view event,
                   std::span<const Field> fields);

// `url` without user information and with every query value replaced by "…": presigned redirect
// addresses carry their secret there.
std::string redact_url(std::string_view url);

}  // namespace entrepot::base::log
