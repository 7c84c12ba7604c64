#!/usr/bin/env bash
# promtool 2.42: "test rules" evaluates the groups of a file in a random order.
#
# An alert in the second group of a file that reads a record of the first group sees the record one
# evaluation late, if promtool happens to run the second group first: it keeps the groups in a map. A test
# that asks at the first moment at which the alert must fire then fails in some of its runs. With
# "group_eval_order" in the test file the order is fixed. Exits non-zero once promtool has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
promtool --version 2>&1 | head -n 1
cat > "$work/rules.yml" <<'YML'
groups:
  - name: recorded
    rules:
      - record: told
        expr: heard
  - name: alerts
    rules:
      - alert: Told
        expr: told > 0
YML
cat > "$work/in_any_order.yml" <<'YML'
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: heard, values: "0 1"}
    alert_rule_test:
      - {eval_time: 1m, alertname: Told, exp_alerts: [{exp_labels: {}}]}
YML
{
    cat "$work/in_any_order.yml"
    echo "group_eval_order: [recorded, alerts]"
} > "$work/in_order.yml"
cd "$work"
failures() {
    local failed=0
    for _ in $(seq 40); do promtool test rules "$1" > /dev/null 2>&1 || failed=$((failed + 1)); done
    echo "$failed"
}
unordered=$(failures in_any_order.yml)
ordered=$(failures in_order.yml)
echo "without group_eval_order $unordered of 40 runs fail, with it $ordered of 40"
if [ "$ordered" != 0 ]; then
    echo "changed: group_eval_order does not help"
    exit 1
fi
if [ "$unordered" = 0 ]; then
    echo "changed: promtool keeps the order of the file"
    exit 1
fi
