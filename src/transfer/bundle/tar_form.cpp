#include "transfer/bundle/tar_form.hpp"

#include <numeric>

namespace entrepot::transfer {
namespace {

// Where the fields of a header stand.
constexpr std::size_t name_size = 100;
constexpr std::size_t size_at = 124;
constexpr std::size_t size_size = 12;
constexpr std::size_t sum_at = 148;
// Eleven octal digits; beyond, GNU's binary form.
constexpr std::uint64_t most_octal = (1ULL << 33U) - 1;

std::string octal(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (; number > 0; number >>= 3U) text[--digits] = static_cast<char>('0' + (number & 7U));
  return text;
}

std::string size_field(std::uint64_t size) {
  if (size <= most_octal) return octal(size, size_size - 1) + '\0';
  std::string field(size_size, '\0');
  field.front() = '\x80';
  for (std::size_t i = size_size; size > 0; size >>= 8U) {
    field[--i] = static_cast<char>(size & 0xffU);
  }
  return field;
}

std::string block_of(std::string_view name, std::uint64_t size, char type) {
  std::string block(tar_block, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    block.replace(at, text.size(), text);
  };
  put(0, name.substr(0, name_size));
  put(100, std::string_view("0000644\0"
                            "0000000\0"
                            "0000000\0",
                            24));  // mode, uid, gid
  put(size_at, size_field(size));
  put(136, std::string_view("00000000000\0", 12));  // time
  put(sum_at, "        ");
  block[156] = type;
  put(257, std::string_view("ustar  \0", 8));
  const auto sum = std::accumulate(block.begin(), block.end(), 0U, [](unsigned sofar, char c) {
    return sofar + static_cast<unsigned char>(c);
  });
  put(sum_at, octal(sum, 6) + '\0');
  return block;
}

}  // namespace

std::string tar_header(std::string_view name, std::uint64_t size) {
  if (name.size() <= name_size) return block_of(name, size, '0');
  std::string long_name(name);
  long_name.append(1 + tar_padding(name.size() + 1), '\0');
  return block_of("././@LongLink", name.size() + 1, 'L') + long_name + block_of(name, size, '0');
}

std::uint64_t tar_footprint(std::string_view name, std::uint64_t size) {
  const std::uint64_t header = name.size() <= name_size ? 1 : 3;
  return header * tar_block + size + tar_padding(size);
}

std::optional<std::uint64_t> size_in_header(std::string_view block, std::string_view name) {
  if (block.size() != tar_block) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : block.substr(size_at, size_size - 1)) {
    if (c < '0' || c > '7') return std::nullopt;
    size = size << 3U | static_cast<std::uint64_t>(c - '0');
  }
  if (block != tar_header(name, size)) return std::nullopt;
  return size;
}

}  // namespace entrepot::transfer
