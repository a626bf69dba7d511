// View and Batch over one LMDB transaction.
#pragma once

#include <lmdb.h>

#include <cstddef>
#include <exception>

#include "entrepot/index/index.hpp"

namespace entrepot::index {

class LmdbView final : public View {
 public:
  LmdbView(MDB_txn* txn, MDB_dbi tree) : txn_(txn), tree_(tree) {}
  std::optional<base::ByteView> get(Space space, base::ByteView key) const override;
  void scan(Space space, base::ByteView prefix, base::ByteView after,
            const std::function<Continue(base::ByteView, base::ByteView)>& visit) const override;

 private:
  MDB_txn* txn_;
  MDB_dbi tree_;
};

// A call of LMDB failed inside a write; the Batch remembers the code.
class WriteFailed : public std::exception {
 public:
  const char* what() const noexcept override { return "index: the write cannot be completed"; }
};

class LmdbBatch final : public Batch {
 public:
  LmdbBatch(MDB_txn* txn, MDB_dbi tree) : view_(txn, tree), txn_(txn), tree_(tree) {}
  std::optional<base::ByteView> get(Space space, base::ByteView key) const override {
    return view_.get(space, key);
  }
  void scan(Space space, base::ByteView prefix, base::ByteView after,
            const std::function<Continue(base::ByteView, base::ByteView)>& visit) const override {
    view_.scan(space, prefix, after, visit);
  }
  void put(Space space, base::ByteView key, base::ByteView value) override;
  void erase(Space space, base::ByteView key) override;

  // LMDB's code of the first call that failed, else 0. Stands even when the write's function
  // swallowed the exception: the transaction cannot be committed any more.
  int failure() const { return failure_; }
  // Whether anything was erased so far.
  bool erases() const { return erases_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void check(int code);

  LmdbView view_;
  MDB_txn* txn_;
  MDB_dbi tree_;
  int failure_ = 0;
  bool erases_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace entrepot::index
