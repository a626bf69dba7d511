// Small files that appear whole: written beside their place, synced, then named (reliability.md
// rule of the store, for secrets).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>

namespace entrepot::auth {

struct FileOwner {
  mode_t mode = 0600;
  uid_t user = 0;
  gid_t group = 0;
};

// Makes the file (0600) unless it is there; then it stays as it is. Durable when it returns. Throws
// std::system_error.
void create_file(const std::filesystem::path& path, std::string_view text);

// Puts `text` in the place of the file, with this mode and owner, or 0600 and ours. Durable when it
// returns; the old file stays on any failure. Throws std::system_error.
void replace_file(const std::filesystem::path& path, std::string_view text,
                  const std::optional<FileOwner>& owner);

}  // namespace entrepot::auth
