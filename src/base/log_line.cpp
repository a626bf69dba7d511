#include "base/log_line.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "entrepot/base/utf8.hpp"

namespace entrepot::base::log {

namespace {

constexpr std::size_t longest_value = 1024;
constexpr std::string_view cut_mark = "…";

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// Line breaks of any script, and what moves the cursor or turns the reading direction of a
// terminal.
bool is_treacherous(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

bool is_plain(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; }

std::string_view cut(std::string_view text) {
  if (text.size() <= longest_value) return text;
  auto end = longest_value;
  while (end > longest_value - 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

void append_escape(std::string& line, char32_t c) {
  switch (c) {
    case '\n':
      line += "\\n";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\t':
      line += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<std::uint32_t>(c));
  }
}

// Between quotes, in the escapes that JSON and our text share. A byte that is no UTF-8 becomes
// U+FFFD: JSON has no way to write it, and no reader needs it back.
void append_escaped(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
    line += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto point = first_code_point(text);
    if (!point) {
      line += "\\ufffd";
    } else if (is_treacherous(point->value)) {
      append_escape(line, point->value);
    } else {
      if (point->value == '"' || point->value == '\\') line += '\\';
      line += text.substr(0, point->length);
    }
    text.remove_prefix(point ? point->length : 1);
  }
}

void append_quoted(std::string& line, std::string_view text) {
  const auto kept = cut(text);
  line += '"';
  append_escaped(line, kept);
  if (kept.size() < text.size()) line += cut_mark;
  line += '"';
}

void append_text(std::string& line, std::string_view text) {
  const bool bare = !text.empty() && text.size() <= longest_value &&
                    std::ranges::all_of(text, [](char c) { return is_plain(c) && c != '='; });
  if (bare) {
    line += text;
  } else {
    append_quoted(line, text);
  }
}

void append_value(std::string& line, Format format, const Field::Value& value) {
  std::visit(Overloaded{[&](std::string_view text) {
                          format == Format::json ? append_quoted(line, text)
                                                 : append_text(line, text);
                        },
                        [&](double number) {
                          // JSON has no word for infinity.
                          if (!std::isfinite(number)) return append_quoted(line, "not finite");
                          fmt::format_to(std::back_inserter(line), "{:.6g}", number);
                        },
                        [&](auto number) { line += fmt::format_int(number).c_str(); }},
             value);
}

void append_as_text(std::string& line, Level level, std::string_view time, std::string_view event,
                    std::span<const Field> fields) {
  line += time;
  line += ' ';
  line += to_string(level);
  line += " msg=";
  append_text(line, event);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, Format::text, field.value);
  }
}

void append_as_json(std::string& line, Level level, std::string_view time, std::string_view event,
                    std::span<const Field> fields) {
  line += "{\"time\":";
  append_quoted(line, time);
  line += ",\"level\":";
  append_quoted(line, to_string(level));
  line += ",\"msg\":";
  append_quoted(line, event);
  for (const auto& field : fields) {
    line += ',';
    append_quoted(line, field.key);
    line += ':';
    append_value(line, Format::json, field.value);
  }
  line += '}';
}

}  // namespace

std::string_view to_string(Level level) {
  static constexpr std::string_view words[] = {"trace", "debug", "info", "warn", "error"};
  return words[static_cast<std::size_t>(level)];
}

void append_line(std::string& line, Format format, Level level, std::string_view time,
                 std::string_view event, std::span<const Field> fields) {
  (format == Format::json ? append_as_json : append_as_text)(line, level, time, event, fields);
}

std::string render(Format format, Level level, std::string_view time, std::string_view event,
                   std::span<const Field> fields) {
  std::string line;
  append_line(line, format, level, time, event, fields);
  return line;
}

}  // namespace entrepot::base::log
