// FilesystemStore: the Spools of upload sessions.
#include "store/filesystem_store.hpp"
#include "store/layout.hpp"

namespace entrepot::store {

std::unique_ptr<Spool> FilesystemStore::begin_upload(const std::string& id,
                                                     oci::Algorithm algorithm,
                                                     std::string_view notes) {
  // In this order a crash leaves words without bytes, which the next start sweeps.
  spools_->write_notes(id, notes);
  return FileSpool::new_upload(spools_, id, algorithm);
}

async::Task<std::unique_ptr<Spool>> FilesystemStore::resume_upload(std::string id,
                                                                   oci::Algorithm algorithm) {
  auto spool = co_await pool_.run([&] { return FileSpool::old_upload(spools_, id, algorithm); });
  if (spool) co_await hash_left(*spool);
  co_return spool;
}

void FilesystemStore::uploads(const std::function<void(const UploadFile&)>& visit) const {
  const auto& folder = spools_->folder();
  folder.each_name([&](const std::string& name) {
    if (layout::classify_spool(name) != layout::SpoolName::upload) return;
    const auto info = folder.look_at(name);
    if (!info || !S_ISREG(info->st_mode)) return;
    auto id = layout::upload_in(name);
    auto notes = spools_->notes(id);
    if (!notes) return;
    visit({.id = std::move(id),
           .notes = std::move(*notes),
           .size = static_cast<std::uint64_t>(info->st_size),
           .changed = written_at(*info)});
  });
}

void FilesystemStore::discard_upload(const std::string& id) { spools_->remove_upload(id); }

}  // namespace entrepot::store
