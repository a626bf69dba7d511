#include "entrepot/auth/password_file.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>

#include "auth/bcrypt.hpp"
#include "auth/htpasswd.hpp"
#include "auth/replaced_file.hpp"
#include "auth/small_file.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::auth {
namespace {

namespace fs = std::filesystem;

// A file that can be loaded as it is, and nobody else of us edits meanwhile.
class Edit {
 public:
  // `path` may be a symbolic link: its target is replaced, the link stays.
  explicit Edit(const fs::path& path)
      : path_(fs::exists(path) ? fs::canonical(path) : path),
        folder_(::open(path_.has_parent_path() ? path_.parent_path().c_str() : ".",
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!folder_ || ::flock(folder_.get(), LOCK_EX) != 0) {
      base::throw_errno("lock the directory of", path_.c_str());
    }
    if (!fs::exists(path_)) return;
    auto file = read_small_file(path_);
    if (!file) throw std::runtime_error("cannot read " + path_.string() + ": " + file.error());
    const auto users = parse_htpasswd(file->text);
    if (!users) throw std::runtime_error(path_.string() + ": " + users.error());
    text_ = std::move(file->text);
    owner_ = FileOwner{file->state.st_mode & 07777U, file->state.st_uid, file->state.st_gid};
  }

  const std::string& text() const { return text_; }
  void save(std::string_view text) const { replace_file(path_, text, owner_); }

 private:
  fs::path path_;
  base::UniqueFd folder_;
  std::string text_;
  std::optional<FileOwner> owner_;
};

std::string_view user_of(std::string_view line) {
  if (line.starts_with('#')) return {};
  const auto colon = line.find(':');
  return colon == line.npos ? std::string_view() : line.substr(0, colon);
}

struct Replacement {
  std::string text;
  bool found = false;
};

// `text` with the user's line replaced by `line`, or without it when that is empty.
Replacement replace_line(std::string_view text, std::string_view user, std::string_view line) {
  Replacement made;
  while (!text.empty()) {
    const auto all = text;
    const auto old = take_line(text);
    if (user_of(old) != user) {
      made.text += all.substr(0, all.size() - text.size());
      continue;
    }
    made.found = true;
    made.text += line;
  }
  return made;
}

void require_usable(std::string_view user, std::string_view password) {
  if (!is_user_name(user)) throw std::invalid_argument("that name cannot stand in the file");
  if (password.empty()) throw std::invalid_argument("the password is empty");
  if (password.find('\0') != password.npos) {
    throw std::invalid_argument("the password has a NUL byte");
  }
  if (password.size() > longest_password) {
    throw std::invalid_argument("bcrypt looks at no more than 72 bytes of a password");
  }
}

}  // namespace

void set_password(const fs::path& file, std::string_view user, std::string_view password) {
  require_usable(user, password);
  auto line = std::string(user) + ":" + bcrypt_hash(std::string(password), advised_cost) + "\n";
  const Edit edit(file);
  auto made = replace_line(edit.text(), user, line);
  if (!made.found) {
    if (!made.text.empty() && !made.text.ends_with('\n')) made.text += '\n';
    made.text += line;
  }
  edit.save(made.text);
}

bool remove_user(const fs::path& file, std::string_view user) {
  const Edit edit(file);
  const auto made = replace_line(edit.text(), user, {});
  if (!made.found || user.empty()) return false;
  edit.save(made.text);
  return true;
}

std::vector<std::string> users(const fs::path& file) {
  const auto text = required_text(file);
  if (const auto loaded = parse_htpasswd(text); !loaded) {
    throw std::runtime_error(file.string() + ": " + loaded.error());
  }
  std::vector<std::string> names;
  for (std::string_view rest = text; !rest.empty();) {
    const auto name = user_of(take_line(rest));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

}  // namespace entrepot::auth
