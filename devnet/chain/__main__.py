from devnet.chain.cli import app

app(prog_name="feiqian chain")
