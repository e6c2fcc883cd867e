"""Turns a GGUF file into the directory that vLLM reads: `python converting.py FILE DIRECTORY`.

It is run by the Python of vLLM's environment, which has torch and transformers; ours has neither.
"""

import importlib
import sys
from pathlib import Path


def convert(source: Path, target: Path) -> None:
    """Write weights as bfloat16, and the tokenizer with its chat template."""
    torch = importlib.import_module("torch")
    transformers = importlib.import_module("transformers")
    file = {"gguf_file": source.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, **file)
    if not tokenizer.chat_template:
        sys.exit("the file holds no chat template")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.parent,
        dtype=torch.bfloat16,
        # Packed blocks, which it would keep otherwise, cannot be saved.
        quantization_config=transformers.GgufConfig(dequantize=True),
        **file,
    )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
