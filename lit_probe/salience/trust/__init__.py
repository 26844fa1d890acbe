"""How far salience maps can be trusted: faithfulness and stability."""
