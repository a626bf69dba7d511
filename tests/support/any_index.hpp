// A fixture over an Index made by the test's parameter, with reads and writes as plain calls.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "entrepot/index/index.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test {

struct IndexKind {
  std::string name;
  // `data` is an empty directory of the test's own.
  std::function<std::unique_ptr<index::Index>(const std::filesystem::path& data)> make;
};

inline std::string kind_name(const testing::TestParamInfo<IndexKind>& info) {
  return info.param.name;
}

class AnyIndex : public testing::TestWithParam<IndexKind> {
 protected:
  AnyIndex() : index_(GetParam().make(data_.path())) {}

  template <class Work>
  auto read(Work work) {
    return run_task(context_, index_->read(std::move(work)));
  }
  template <class Work>
  auto write(Work work) {
    return run_task(context_, index_->write(std::move(work)));
  }
  index::Index& index() { return *index_; }

 private:
  TempDir data_;
  async::asio::io_context context_{1};
  std::unique_ptr<index::Index> index_;
};

}  // namespace entrepot::test
