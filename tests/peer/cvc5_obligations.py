"""cvc5 on SMT-LIB2 files: cvc5_obligations.py WANT FILE…   WANT = unsat: every file; sat: at least one, the others unsat."""
import sys

import cvc5


def answer(path):
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("tlimit-per", "60000")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    out = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return out.strip()
        out += command.invoke(solver, parser.getSymbolManager())


want, files = sys.argv[1], sys.argv[2:]
said = {f: answer(f) for f in files}
others = {f: s for f, s in said.items() if s != "unsat"}
good = not others if want == "unsat" else bool(others) and set(others.values()) == {"sat"}
print(f"cvc5 {cvc5.__version__}: {len(files)} obligations, {len(files) - len(others)} unsat, {len(others)} not")
sys.exit(0 if files and good else f"expected {want}: {others}")
