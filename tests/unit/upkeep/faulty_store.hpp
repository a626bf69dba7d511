// The BlobStore in memory, on a disk that can be told to answer with errors.
#pragma once

#include <atomic>
#include <cerrno>
#include <system_error>

#include "support/memory_store.hpp"

namespace entrepot::test {

class FaultyStore final : public MemoryStore {
 public:
  // Every call of that kind fails from now on (EIO).
  enum class Call { none, find, remove, list, written, trash };
  void fail(Call call) { failing_ = call; }

  std::optional<store::BlobInfo> find(const oci::Digest& digest) const override {
    judge(Call::find);
    return MemoryStore::find(digest);
  }
  void remove(const oci::Digest& digest) override {
    judge(Call::remove);
    MemoryStore::remove(digest);
  }
  std::vector<oci::Digest> list(const std::optional<oci::Digest>& after,
                                std::size_t limit) const override {
    judge(Call::list);
    return MemoryStore::list(after, limit);
  }
  std::optional<base::WallTime> written(const oci::Digest& digest) const override {
    judge(Call::written);
    return MemoryStore::written(digest);
  }
  void trash(const oci::Digest& digest) override {
    judge(Call::trash);
    MemoryStore::trash(digest);
  }

 private:
  void judge(Call call) const {
    if (failing_ == call) throw std::system_error(EIO, std::generic_category(), "store");
  }

  std::atomic<Call> failing_ = Call::none;
};

}  // namespace entrepot::test
