// The facts and bytes of one site for tests, in memory, with Local over them and the means to put
// content there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/registry/local.hpp"
#include "support/memory_index.hpp"
#include "support/memory_store.hpp"
#include "support/words.hpp"

namespace entrepot::test {

struct Site {
  MemoryIndex facts;
  MemoryStore store;
  registry::Local local{facts, store};

  async::Task<> put_blob(std::string repository, std::string bytes) {
    const auto digest = digest_of(bytes);
    auto spool = store.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    co_await store.commit(std::move(spool), digest);
    co_await facts.write([&](index::Batch& batch) {
      index::put_blob(batch, digest, bytes.size(), base::WallTime());
      index::link(batch, name(repository), index::RepositoryKind::local, digest, base::WallTime());
    });
  }

  async::Task<> put_manifest(std::string repository, std::vector<std::string> tags,
                             std::string media_type, std::string bytes) {
    const auto parsed = oci::parse_manifest(bytes, media_type).value();
    const auto digest = digest_of(bytes);
    co_await facts.write([&](index::Batch& batch) {
      index::put_manifest(batch, name(repository), index::RepositoryKind::local, digest, bytes,
                          parsed, base::WallTime());
      for (const auto& one : tags) {
        index::set_tag(batch, name(repository), tag(one), digest, base::WallTime(),
                       index::Cause::push);
      }
    });
  }
};

}  // namespace entrepot::test
