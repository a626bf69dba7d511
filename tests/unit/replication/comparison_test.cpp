// What summaries spare a run.
#include "replication/comparison.hpp"

#include <gmock/gmock.h>

#include "replication/run.hpp"
#include "two_sites.hpp"

namespace entrepot::replication::comparison_test {
namespace {

constexpr unsigned images = 20;

class Comparisons : public TwoSites {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < images; ++i) {
      subject_ = a.push("app" + std::to_string(i), {"v1"}, i);
    }
    b.push("own", {"x"}, images);  // nobody minds that there is more here
    run_once();
  }
  void run_once() { b.run(replication::run(rule_, RunOrder())); }
  // After so long that a run looks for signatures; how many images it asked about.
  int asked_later() {
    line.asked.clear();
    b.clock_.advance(std::chrono::hours(1));
    run_once();
    return line.asked["referrers"];
  }
  bool held(const oci::Digest& digest) {
    return b.holdings().contains("app" + std::to_string(images - 1) + "@" + digest.text());
  }

  const SharedErrand rule_ = errand(a, b, line, {.name = "r", .from = "far"});
  std::optional<oci::Digest> subject_;
};

TEST_F(Comparisons, SpareAQuestionForEachImageWhenNothingCame) {
  EXPECT_EQ(asked_later(), 0);
  EXPECT_EQ(line.asked["summaries"], 1) << "own is not looked for there";
}

TEST_F(Comparisons, FindTheRepositoryASignatureCameTo) {
  const auto signature = a.sign("app" + std::to_string(images - 1), *subject_, images + 1);
  EXPECT_GT(asked_later(), 0);
  EXPECT_LE(line.asked["referrers"], 2) << "of the image, and of its signature";
  EXPECT_TRUE(held(signature));
  EXPECT_EQ(asked_later(), 0);
}

TEST_F(Comparisons, AreDoneWithoutWhenThePeerDoesNotTell) {
  const auto signature = a.sign("app" + std::to_string(images - 1), *subject_, images + 1);
  line.judge = [](const std::string& what) {
    return what == "summaries" ? std::optional(registry::Failure{.message = "no"}) : std::nullopt;
  };
  EXPECT_GE(asked_later(), static_cast<int>(images));
  EXPECT_TRUE(held(signature));
}

TEST_F(Comparisons, AreNotForRulesThatLeaveSomethingOut) {
  Rule some{.name = "some", .from = "far"};
  some.tags = {Glob{"v*"}};
  EXPECT_FALSE(b.run(lacking(errand(a, b, line, some))));
  EXPECT_TRUE(b.run(lacking(rule_)));
}

}  // namespace
}  // namespace entrepot::replication::comparison_test
