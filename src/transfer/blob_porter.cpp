#include "transfer/blob_porter.hpp"

#include <system_error>

#include "entrepot/index/catalog.hpp"

namespace entrepot::transfer {

namespace {

constexpr std::size_t bytes_a_read = 1 << 20;
// What the pool does in one go; between two of them the job can be stopped.
constexpr int reads_a_turn = 16;

struct Standing {
  bool linked = false;
  std::optional<index::BlobRecord> record;
};

}  // namespace

async::Task<bool> BlobPorter::bring(const ForeignRepository& repository, oci::Descriptor listed) {
  if (co_await held(repository, listed.digest)) {
    if (journey_.meet(listed.digest)) {
      ++journey_.report.held_before;
      journey_.passed(listed.size);
    }
    co_return true;
  }
  if (!repository.may_give(listed.digest) || journey_.is_bad(listed.digest)) co_return false;
  const auto file = co_await verified(repository, listed);
  if (!file || journey_.stopped()) co_return false;
  if (!co_await admit(repository, file->fd, listed.digest)) co_return false;
  journey_.meet(listed.digest);
  ++journey_.report.blobs;
  journey_.report.bytes += file->size;
  co_return true;
}

async::Task<bool> BlobPorter::held(const ForeignRepository& repository, oci::Digest digest) {
  auto& house = journey_.house;
  const auto standing = co_await house.index.read([&](const index::View& view) {
    return Standing{index::linked(view, repository.name, digest), index::blob(view, digest)};
  });
  if (!standing.record) co_return false;
  const auto info = house.store.find(digest);
  if (!info || info->size != standing.record->size) co_return false;
  if (standing.linked) co_return true;
  // That another repository here has it is no right to it: the directory must say so.
  if (!repository.may_give(digest)) co_return false;
  const auto now = house.clock.wall();
  co_return co_await house.index.write([&](index::Batch& batch) {
    if (!index::blob(batch, digest)) return false;
    index::link(batch, repository.name, index::RepositoryKind::local, digest, now);
    return true;
  });
}

async::Task<std::optional<ForeignFolder::File>> BlobPorter::verified(
    const ForeignRepository& repository, const oci::Descriptor& listed) {
  try {
    auto file =
        co_await journey_.house.pool.run([&] { return repository.blobs->open(listed.digest); });
    if (!file) {
      damaged(repository, listed.digest, "is not there");
      co_return std::nullopt;
    }
    if (file->size != listed.size) {
      damaged(repository, listed.digest,
              "has " + std::to_string(file->size) + " bytes, not " + std::to_string(listed.size));
      co_return std::nullopt;
    }
    oci::Hasher hasher(listed.digest.algorithm());
    co_await hash(file->fd, hasher);
    if (journey_.stopped() || hasher.current() == listed.digest) co_return file;
    damaged(repository, listed.digest, "is not what it is called");
  } catch (const std::system_error& error) {
    damaged(repository, listed.digest, std::string("cannot be read: ") + error.what());
  }
  co_return std::nullopt;
}

async::Task<> BlobPorter::hash(const base::UniqueFd& file, oci::Hasher& hasher) {
  std::uint64_t offset = 0;
  for (bool more = true; more && !journey_.stopped();) {
    const auto before = offset;
    more = co_await journey_.house.pool.run([&] {
      for (int turn = 0; turn < reads_a_turn; ++turn) {
        const auto bytes = read_at(file, offset, bytes_a_read);
        hasher.update(base::as_bytes(bytes));
        offset += bytes.size();
        if (bytes.size() < bytes_a_read) return false;
      }
      return true;
    });
    journey_.passed(offset - before);
  }
}

// The digest is ours from before the file is there until its row is: nobody takes it for a file
// without one.
async::Task<bool> BlobPorter::admit(const ForeignRepository& repository, const base::UniqueFd& file,
                                    oci::Digest digest) {
  auto& house = journey_.house;
  const auto alone = co_await house.admission.alone_with(digest);
  store::BlobInfo info;
  try {
    info = co_await house.store.bring(file, digest, journey_.options.files);
  } catch (const store::CommitRefused& refused) {
    damaged(repository, digest, std::string("has changed meanwhile: ") + refused.what());
    co_return false;
  }
  const auto now = house.clock.wall();
  co_await house.admission.record(digest, info.size, [&](index::Batch& batch) {
    index::link(batch, repository.name, index::RepositoryKind::local, digest, now);
  });
  co_return true;
}

void BlobPorter::damaged(const ForeignRepository& repository, const oci::Digest& digest,
                         const std::string& why) {
  journey_.add_bad(digest);
  journey_.trouble(repository.name.text() + ": the file of " + digest.text() + " " + why);
}

}  // namespace entrepot::transfer
