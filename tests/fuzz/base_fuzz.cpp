// The small readers of room base, and the log's promise that a value cannot leave its line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/base/units.hpp"
#include "entrepot/base/utf8.hpp"

namespace base = entrepot::base;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void lines(std::string_view text) {
  const base::log::Field fields[] = {{"k", text}};
  for (const auto format : {base::log::Format::text, base::log::Format::json}) {
    const auto line = base::log::render(format, base::log::Level::info, "t", text, fields);
    require(line.find_first_of("\r\n\x1b") == line.npos);
    require(base::valid_utf8(line) == line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = base::from_hex(text))
    require(base::to_hex(base::as_bytes(*bytes)) == text);
  if (const auto bytes = base::from_base64(text)) {
    require(base::from_base64(base::to_base64(*bytes)) == bytes);
  }
  if (const auto duration = base::parse_duration(text)) require(duration->count() >= 0);
  if (const auto bytes = base::parse_size(text)) require(*bytes <= INT64_MAX);
  base::parse_unsigned(text);
  base::log::redact_url(text);
  lines(text);
  return 0;
}
