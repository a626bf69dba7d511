#include "store/spool_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/log.hpp"
#include "store/layout.hpp"
#include "store/write_at.hpp"

namespace entrepot::store {
namespace {
constexpr std::size_t longest_notes = 4096;
}  // namespace

base::WallTime written_at(const struct stat& info) {
  const auto since_1970 =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  return base::WallTime(std::chrono::duration_cast<base::Milliseconds>(since_1970));
}

void SpoolFolder::reserve(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!open_.insert(name).second) {
    throw std::system_error(std::make_error_code(std::errc::device_or_resource_busy),
                            "spool " + name);
  }
}

void SpoolFolder::release(const std::string& name) {
  const std::lock_guard lock(mutex_);
  open_.erase(name);
}

void SpoolFolder::write_notes(const std::string& id, std::string_view notes) const {
  const auto fresh = layout::anonymous_spool();
  const auto file = folder_.create_file(fresh);
  try {
    write_at(file.get(), base::as_bytes(notes), 0);
    folder_.move_over(fresh, folder_, layout::upload_notes(id));
  } catch (...) {
    folder_.remove(fresh);
    throw;
  }
}

std::optional<std::string> SpoolFolder::notes(const std::string& id) const {
  const auto name = layout::upload_notes(id);
  const auto file = folder_.open_file(name, O_RDONLY | O_NONBLOCK);
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) base::throw_errno("cannot open", name.c_str());
  std::string text(longest_notes, '\0');
  const auto got = pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) base::throw_errno("cannot read", name.c_str());
  text.resize(static_cast<std::size_t>(got));
  return text;
}

void SpoolFolder::remove_upload(const std::string& id) const {
  folder_.remove(layout::upload_spool(id));
  folder_.remove(layout::upload_notes(id));
}

void SpoolFolder::sweep(base::WallTime stale) const {
  folder_.each_name([&](const std::string& name) { sweep_one(name, stale); });
}

void SpoolFolder::sweep_one(const std::string& name, base::WallTime stale) const {
  switch (layout::classify_spool(name)) {
    case layout::SpoolName::fill: {
      const auto info = folder_.look_at(name);
      if (info && written_at(*info) < stale) folder_.remove(name);
      break;
    }
    case layout::SpoolName::anonymous:
      folder_.remove(name);
      break;
    case layout::SpoolName::upload:
      if (!folder_.look_at(layout::upload_notes(layout::upload_in(name)))) folder_.remove(name);
      break;
    case layout::SpoolName::upload_notes:
      if (!folder_.look_at(layout::upload_spool(layout::upload_in(name)))) folder_.remove(name);
      break;
    case layout::SpoolName::unknown:
      base::log::warn("unknown file in spool left alone", {{"name", name}});
      break;
  }
}

}  // namespace entrepot::store
