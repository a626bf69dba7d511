// The task behind a Fill: one transfer of one digest from upstream into a Spool, verified,
// committed and recorded. It belongs to the FillTable and to no request.
//
// Lives on one executor; only request_halt() and fill() may be called from elsewhere. Whatever ends
// it, every follower hears of it, the Spool is put away first (kept to be resumed, or dropped), and
// the table forgets it before a new one can begin.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string_view>

#include "entrepot/store/spool.hpp"
#include "mirror/fill.hpp"
#include "mirror/fill_table.hpp"

namespace entrepot::mirror {

class Download : public std::enable_shared_from_this<Download> {
 public:
  Download(std::shared_ptr<FillTable::State> table, Origin origin, async::Executor executor);
  // One that never came to its end (the process leaves at once) keeps what it has, too.
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  static async::Task<> run(std::shared_ptr<Download> self);

  const std::shared_ptr<Fill>& fill() const { return fill_; }

  // Ends the download, keeping what it has on disk, unless it is committing: then it goes on to its
  // end. Thread-safe.
  void request_halt();

 private:
  enum class Transfer { complete, ended };

  async::Task<> work();
  async::Task<bool> held_already();
  async::Task<bool> adopt();
  async::Task<bool> keep_found(std::uint64_t size);
  async::Task<bool> begin();
  async::Task<Transfer> transfer();
  async::Task<Transfer> confirm_whole();
  async::Task<registry::Answer<registry::BlobContent>> ask();
  async::Task<Transfer> receive(std::unique_ptr<async::ByteSource> bytes);
  async::Task<> keep_for_good();
  // REQUIRES: the digest's stripe is held.
  async::Task<> record(std::uint64_t size);
  std::function<void(index::Batch&)> links_of(std::set<oci::RepositoryName> earned) const;

  bool store(const async::Chunk& chunk);
  void report_mismatch() const;
  bool deserted() const;
  static async::Task<> halt(std::shared_ptr<Download> self);
  async::Task<> put_away();
  async::Task<> end_failed(std::string_view outcome, registry::Failure failure);
  void end_unstorable(const std::exception& error);
  void leave_table(std::string_view outcome);

  const std::shared_ptr<FillTable::State> table_;
  const Origin origin_;
  const async::Executor executor_;
  const std::shared_ptr<Fill> fill_;

  std::unique_ptr<store::Spool> spool_;
  std::uint64_t total_ = 0;
  bool committing_ = false;
  bool ended_ = false;
};

}  // namespace entrepot::mirror
