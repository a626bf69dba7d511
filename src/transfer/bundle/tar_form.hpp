// Tar as volumes use it (GNU form): a header is a function of name and size, so a reader makes the
// one it expects and compares. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::transfer {

inline constexpr std::uint64_t tar_block = 512;
// Two empty blocks end the file.
inline constexpr std::uint64_t tar_end = 2 * tar_block;

// One block; three for a name of more than 100 characters.
std::string tar_header(std::string_view name, std::uint64_t size);
// Zeros behind so many bytes of a member.
constexpr std::uint64_t tar_padding(std::uint64_t size) {
  return (tar_block - size % tar_block) % tar_block;
}
// What a member takes of the file.
std::uint64_t tar_footprint(std::string_view name, std::uint64_t size);
// The size in a one-block header that is exactly that of `name`.
std::optional<std::uint64_t> size_in_header(std::string_view block, std::string_view name);

}  // namespace entrepot::transfer
