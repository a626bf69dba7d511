// A directory held open: everything in it is reached by its descriptor, so that neither a moved
// data directory nor a planted symlink leads outside (reliability.md P-10). Immutable, thread-safe.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store {

class Folder {
 public:
  explicit Folder(const std::filesystem::path& path);

  // Makes a directory (0700); that it is there already is fine.
  void make(const std::string& name) const;
  // Throws when it is missing, a symlink, or no directory.
  Folder inside(std::string_view name) const;
  // Absent when it is missing; throws for the rest.
  std::optional<Folder> find_inside(std::string_view name) const;

  // `name` may have several components; none may be a symlink or lead out. Not open, with errno
  // set, when it cannot be opened.
  base::UniqueFd open_file(const std::string& name, int flags) const;

  // Makes a file that did not exist (0600), open for reading and writing. Throws.
  base::UniqueFd create_file(const std::string& name) const;

  enum class Moved { yes, already_there };
  Moved move_new(const std::string& name, const Folder& to, const std::string& new_name) const;
  // Takes the place of what is there. False: `name` does not exist.
  bool move_over(const std::string& name, const Folder& to, const std::string& new_name) const;

  // Absent is fine.
  void remove(const std::string& name) const;

  // Whatever is in it, in no order; `visit` may remove what it is shown.
  void each_name(const std::function<void(const std::string&)>& visit) const;
  std::vector<std::string> names() const;

  // What `name` is, a symlink not followed; absent when it is missing.
  std::optional<struct stat> look_at(const std::string& name) const;

  // The names in it survive a power cut from here on.
  void sync() const;

  int fd() const { return fd_.get(); }

 private:
  explicit Folder(base::UniqueFd fd) : fd_(std::move(fd)) {}
  base::UniqueFd fd_;
};

}  // namespace entrepot::store
