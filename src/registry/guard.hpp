// What every change of a local repository asks first, and how it is written.
#pragma once

#include <type_traits>
#include <utility>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/policy.hpp"

namespace entrepot::registry {

// Refuses a repository that mirrors an upstream: nobody writes there (reliability.md C-16). The
// name alone is refused, too, when nothing is left of it: what was written there would be a
// mirror's.
void check_local(const index::View& view, const oci::RepositoryName& repository);

// Refuses what an immutable tag leads to: it keeps all of it.
void check_not_kept(const index::View& view, const Policy& policy,
                    const oci::RepositoryName& repository, const oci::Digest& digest);

// Refuses a version of another site that is further ahead of our clock than a wrong time zone is:
// it would win for as long, and so would every change made above it.
void check_clock(const index::Version& version, base::WallTime now);

// index.write(), where a full index is what the client hears of (reliability.md D-07).
template <class Work>
auto write_or_refuse(index::Index& index, Work work)
    -> async::Task<std::invoke_result_t<Work&, index::Batch&>> {
  try {
    co_return co_await index.write(std::move(work));
  } catch (const index::IndexFull&) {
    throw oci::Refusal(oci::ErrorCode::storage_full, "the index is full");
  }
}

}  // namespace entrepot::registry
