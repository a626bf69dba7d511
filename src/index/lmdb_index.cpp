#include "index/lmdb_index.hpp"

#include "index/committer.hpp"
#include "index/environment.hpp"
#include "index/journal_mark.hpp"
#include "index/lmdb_view.hpp"

namespace entrepot::index {
namespace {

class LmdbIndex final : public Index {
 public:
  LmdbIndex(const std::filesystem::path& directory, LmdbOptions options)
      : environment_(directory, options),
        mark_(directory, environment_),
        committer_(environment_, [this](std::uint64_t newest) {
          mark_.move_to(newest);
          journal_grown().notify_all();
        }) {}

 protected:
  async::Task<> run_read(std::function<void(const View&)> work) override {
    const ReadTransaction txn(environment_);
    work(LmdbView(txn.get(), environment_.tree()));
    co_return;
  }

  async::Task<> run_write(std::function<void(Batch&)> work) override {
    co_await committer_.commit(std::move(work));
  }

 private:
  Environment environment_;
  JournalMark mark_;
  Committer committer_;  // below: its thread ends before the environment closes
};

}  // namespace

std::unique_ptr<Index> open_lmdb_index(const std::filesystem::path& data) {
  return open_lmdb_index(data, LmdbOptions{});
}

std::unique_ptr<Index> open_lmdb_index(const std::filesystem::path& data, LmdbOptions options) {
  return std::make_unique<LmdbIndex>(data / "index", options);
}

}  // namespace entrepot::index
