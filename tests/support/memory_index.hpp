// The Index in memory, for tests of everything above it. Runs every write twice, the first time for
// nothing: what has an effect besides its Batch is found out.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "entrepot/index/index.hpp"
#include "entrepot/index/journal.hpp"

namespace entrepot::test {

class MemoryIndex : public index::Index {
 public:
  MemoryIndex() {
    Rows rows(rows_);
    index::found_site(rows);
  }

  // What they throw, the writer gets: as if it had died before its write, or after.
  std::function<void()> before_commit;
  std::function<void()> after_commit;

 protected:
  async::Task<> run_read(std::function<void(const index::View&)> work) override {
    const std::lock_guard lock(mutex_);
    Rows rows(rows_);
    work(rows);
    co_return;
  }

  async::Task<> run_write(std::function<void(index::Batch&)> work) override {
    const std::lock_guard lock(mutex_);
    try {
      Map discarded = rows_;
      Rows rehearsal(discarded);
      work(rehearsal);
    } catch (...) {
      // The second run must throw the same.
    }
    Map changed = rows_;
    Rows rows(changed);
    work(rows);
    if (before_commit) before_commit();
    rows_ = std::move(changed);
    if (after_commit) after_commit();
    journal_grown().notify_all();
    co_return;
  }

 private:
  using Map = std::map<std::pair<index::Space, std::string>, std::string>;

  class Rows final : public index::Batch {
   public:
    explicit Rows(Map& map) : map_(map) {}

    std::optional<base::ByteView> get(index::Space space, base::ByteView key) const override {
      const auto found = map_.find({space, std::string(base::as_text(key))});
      if (found == map_.end()) return std::nullopt;
      return base::as_bytes(found->second);
    }

    void scan(index::Space space, base::ByteView prefix, base::ByteView after,
              const std::function<index::Continue(base::ByteView, base::ByteView)>& visit)
        const override {
      const auto start = std::string(base::as_text(prefix));
      for (auto row = map_.lower_bound({space, start}); row != map_.end(); ++row) {
        const auto& [row_space, key] = row->first;
        if (row_space != space || !key.starts_with(start)) return;
        if (!after.empty() && key <= base::as_text(after)) continue;
        if (visit(base::as_bytes(key), base::as_bytes(row->second)) == index::Continue::no) return;
      }
    }

    void put(index::Space space, base::ByteView key, base::ByteView value) override {
      map_.insert_or_assign({space, std::string(base::as_text(key))},
                            std::string(base::as_text(value)));
    }

    void erase(index::Space space, base::ByteView key) override {
      map_.erase({space, std::string(base::as_text(key))});
    }

   private:
    Map& map_;
  };

  std::mutex mutex_;  // guards rows_
  Map rows_;
};

}  // namespace entrepot::test
