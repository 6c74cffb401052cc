"""The options of --help and those of the man page are the same: check-options.py IMAPFS PAGE."""

import re
import subprocess
import sys

program, page = sys.argv[1:]
help_text = subprocess.run([program, '--help'], capture_output=True, text=True, check=True).stdout
with open(page, encoding='utf-8') as file:
    section = re.search(r'^# OPTIONS\n(.*?)^# ', file.read(), re.M | re.S)[1]

in_help = set(re.findall(r'^    ([a-z_]+)\b', help_text, re.M)) - {'imapfs'}
headings = ' '.join(re.findall(r'\n\n(\*.*)', section))
in_page = {word for word in re.findall(r'(?:^|[ ])\*([a-z_]+)[=*]', headings)
           if not word.startswith('-')}

for name in sorted(in_help ^ in_page):
    print(f'{name}: only in', '--help' if name in in_help else page)
if not in_help:
    print('no option found in --help')
sys.exit(bool(in_help ^ in_page) or not in_help)
