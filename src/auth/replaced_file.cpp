#include "auth/replaced_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::auth {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A file of its own beside `path`; gone with this object unless it was renamed.
class Draft {
 public:
  explicit Draft(const std::filesystem::path& path)
      : name_((folder_of(path) / ("." + path.filename().string() + ".XXXXXX")).string()),
        file_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (!file_) base::throw_errno("make a file beside", path.c_str());
  }
  ~Draft() { ::unlink(name_.c_str()); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::write(file_.get(), text.data(), text.size());
      if (written < 0) base::throw_errno("write", name_.c_str());
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void give_to(const FileOwner& owner) {
    if (::fchown(file_.get(), owner.user, owner.group) != 0 ||
        ::fchmod(file_.get(), owner.mode) != 0) {
      base::throw_errno("keep the owner of", name_.c_str());
    }
  }

  void sync() {
    if (::fsync(file_.get()) != 0) base::throw_errno("sync", name_.c_str());
  }

  const char* name() const { return name_.c_str(); }

 private:
  std::string name_;
  base::UniqueFd file_;
};

void sync_folder(const std::filesystem::path& path) {
  const auto folder = folder_of(path);
  const base::UniqueFd file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) base::throw_errno("sync", folder.c_str());
}

}  // namespace

void create_file(const std::filesystem::path& path, std::string_view text) {
  Draft draft(path);
  draft.write(text);
  draft.sync();
  if (::link(draft.name(), path.c_str()) != 0 && errno != EEXIST) {
    base::throw_errno("make", path.c_str());
  }
  sync_folder(path);
}

void replace_file(const std::filesystem::path& path, std::string_view text,
                  const std::optional<FileOwner>& owner) {
  Draft draft(path);
  draft.write(text);
  if (owner) draft.give_to(*owner);
  draft.sync();
  if (::rename(draft.name(), path.c_str()) != 0) base::throw_errno("replace", path.c_str());
  sync_folder(path);
}

}  // namespace entrepot::auth
