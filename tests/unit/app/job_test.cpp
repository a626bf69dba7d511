#include "app/commands/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <sstream>

#include "support/run_task.hpp"

namespace entrepot::app::job_test {
namespace {

using commands::Question;
using commands::Said;
using testing::ElementsAre;

// Answers in turn, and keeps what it was asked.
class ScriptedSite : public commands::Site {
 public:
  explicit ScriptedSite(std::deque<Said> answers) : answers_(std::move(answers)) {}

  async::Task<Said> ask(Question question) override {
    asked.push_back(question.method + ' ' + question.path);
    if (answers_.empty()) throw commands::Unreachable("nothing more to say");
    auto said = std::move(answers_.front());
    answers_.pop_front();
    co_return said;
  }

  std::vector<std::string> asked;

 private:
  std::deque<Said> answers_;
};

const Said busy{409, R"({"errors":[{"code":"UNAVAILABLE","message":"such a job runs"}]})"};
const Said begun{202, R"({"job":8})"};
const Said done{200, R"({"id":8,"state":"done","summary":{"blobs":3},"next_line":0})"};

Question collection() { return {.method = "POST", .path = "/api/v1/collections"}; }

class JobOfAnOperator : public testing::Test {
 protected:
  commands::JobEnd after_others(ScriptedSite& site) {
    return test::run_task(commands::run_job_after(site, "collection", collection(), {}, console_));
  }

  std::ostringstream out_;
  std::ostringstream error_;
  std::istringstream in_;
  Console console_{.out = out_, .error = error_, .in = in_};
};

TEST_F(JobOfAnOperator, is_watched_to_its_end) {
  ScriptedSite site({begun, {200, R"({"id":8,"state":"running","next_line":0})"}, done});
  const auto end = test::run_task(commands::run_job(site, collection(), {}, console_));
  EXPECT_EQ(end.status, ExitStatus::clean);
  EXPECT_EQ(end.summary.at("blobs").as_int64(), 3);
  EXPECT_THAT(site.asked,
              ElementsAre("POST /api/v1/collections", "GET /api/v1/jobs/8", "GET /api/v1/jobs/8"));
}

TEST_F(JobOfAnOperator, comes_after_the_one_that_runs) {
  ScriptedSite site({busy,
                     {200, R"({"jobs":[{"id":5,"kind":"export","state":"running"},
                                       {"id":6,"kind":"collection","state":"done"},
                                       {"id":7,"kind":"collection","state":"running"}]})"},
                     {200, R"({"id":7,"state":"running","next_line":0})"},
                     {200, R"({"jobs":[{"id":7,"kind":"collection","state":"done"}]})"},
                     begun,
                     done});
  EXPECT_EQ(after_others(site).status, ExitStatus::clean);
  EXPECT_THAT(site.asked,
              ElementsAre("POST /api/v1/collections", "GET /api/v1/jobs", "GET /api/v1/jobs/7",
                          "GET /api/v1/jobs", "POST /api/v1/collections", "GET /api/v1/jobs/8"));
  EXPECT_THAT(error_.str(), testing::HasSubstr("waiting for the collection"));
}

TEST_F(JobOfAnOperator, waits_for_nobody_when_nothing_runs) {
  ScriptedSite site({begun, done});
  EXPECT_EQ(after_others(site).status, ExitStatus::clean);
  EXPECT_EQ(error_.str(), "");
}

TEST_F(JobOfAnOperator, is_refused_where_it_does_not_wait) {
  ScriptedSite site({busy});
  const auto end = test::run_task(commands::run_job(site, collection(), {}, console_));
  EXPECT_EQ(end.status, ExitStatus::try_later);
  EXPECT_EQ(error_.str(), "entrepot: such a job runs\n");
}

}  // namespace
}  // namespace entrepot::app::job_test
