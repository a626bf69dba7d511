#include "contract/index_contract.hpp"

#include "support/index_kinds.hpp"

namespace entrepot::test::index_contract_test {

INSTANTIATE_TEST_SUITE_P(every, IndexContract, testing::ValuesIn(index_kinds()), kind_name);

}  // namespace entrepot::test::index_contract_test
