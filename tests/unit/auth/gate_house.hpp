// A Gate with users, a clock and files of its own, and the words tests use to ask it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "auth/bcrypt.hpp"
#include "auth/htpasswd.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/oci/refusal.hpp"
#include "support/manual_clock.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "support/words.hpp"

namespace entrepot::auth {

inline constexpr int quick = lowest_cost;

inline std::string entry(const std::string& name, const std::string& password, int cost = quick) {
  return name + ":" + bcrypt_hash(password, cost) + "\n";
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline std::string basic(const std::string& name, const std::string& password) {
  return "Basic " + base::to_base64(name + ":" + password);
}

inline std::string bearer(const std::string& token) { return "Bearer " + token; }

inline Rule rule(std::vector<Subject> who, std::vector<std::string> repositories, Rights may) {
  return {std::move(who), std::move(repositories), may};
}

// The refusal `act` ends with; a failure of the test when there is none.
inline oci::Refusal refusal_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const oci::Refusal& refusal) {
    return refusal;
  }
  ADD_FAILURE() << "nothing was refused";
  return oci::Refusal(oci::ErrorCode::internal);
}

// alice may do everything in team/**, bob may pull there, everyone may pull from hub/**.
struct GateHouse {
  GateHouse() { write_users(entry("alice", "a-secret") + entry("bob", "b-secret")); }

  std::filesystem::path file(const std::string& name) const { return dir.path() / name; }

  // Another size every time: a change within one tick of the file system's clock is seen too.
  void write_users(const std::string& text) {
    padding += "\n";
    write_file(file("htpasswd"), text + padding);
  }

  GateOptions open_options() const {
    GateOptions options;
    options.rules = {rule({{}}, {"**"}, Right::pull)};
    return options;
  }

  GateOptions options_with_users() const {
    GateOptions options;
    options.htpasswd = file("htpasswd");
    options.rules = {
        rule({{Subject::Kind::user, "alice"}}, {"team/**"},
             Right::pull | Right::push | Right::remove),
        rule({{Subject::Kind::user, "bob"}}, {"team/**"}, Right::pull),
        rule({{Subject::Kind::everyone}}, {"hub/**"}, Right::pull),
    };
    return options;
  }

  GateOptions options_with_tokens() const {
    auto options = options_with_users();
    options.tokens = {.realm = "https://registry.example/token",
                      .service = "registry.example",
                      .issuer = "entrepot",
                      .key = file("token.key")};
    return options;
  }

  Principal identify(const Gate& gate, const std::string& authorization,
                     const std::string& remote = "192.0.2.1") {
    return test::run_task(gate.identify({.authorization = authorization, .remote = remote}));
  }

  oci::Refusal refused(const Gate& gate, const std::string& authorization,
                       const std::string& remote = "192.0.2.1") {
    return refusal_of([&] { identify(gate, authorization, remote); });
  }

  test::TempDir dir;
  test::ManualClock clock;
  async::BlockingPool pool{2};
  std::string padding;
};

}  // namespace entrepot::auth
